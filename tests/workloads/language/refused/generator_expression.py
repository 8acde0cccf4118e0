print(sum(x * x for x in range(10)))

# expect: 1:10: generator expressions are not supported; write a list comprehension
