def report(*parts, **options):
    print(parts)

# expect: 1:13: *parts parameters are not supported; pass a list or a dict
# expect: 1:22: **options parameters are not supported; pass a list or a dict
