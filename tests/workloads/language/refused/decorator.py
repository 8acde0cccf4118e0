def twice(f):
    return f


@twice
def job():
    return 1

# expect: 5:2: decorators are not supported; call the function
