def outer():
    def inner():
        return 1

    return inner

# expect: 2:5: functions inside other code are not supported; define it at the top level
