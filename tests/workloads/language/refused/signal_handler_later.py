import signal


def handler(number, frame):
    print(number)


signal.signal(signal.SIGTERM, handler)

# expect: 8:1: 'signal.signal' is in the guest language but not implemented yet; leave it out
