import threading

ready = threading.Event()
ready.set()

# expect: 3:9: 'threading.Event' is in the guest language but not implemented yet; leave it out
# expect: 4:1: the method 'set' is in the guest language but not implemented yet; leave it out
