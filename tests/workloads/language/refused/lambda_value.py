double = lambda x: x * 2
print(double(3))

# expect: 1:10: lambda is not supported; write a function with def
