import threading

lock = threading.Lock()
with lock as held:
    print(held)

# expect: 4:14: 'as' in with is not supported; leave it out
