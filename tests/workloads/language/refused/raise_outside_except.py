def fail():
    raise

# expect: 2:5: raise without an exception outside an except clause; name the exception
