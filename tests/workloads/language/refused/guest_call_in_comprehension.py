def square(x):
    return x * x


print([square(x) for x in range(3)])

# expect: 5:8: a system call or guest call inside a comprehension; write a for loop
