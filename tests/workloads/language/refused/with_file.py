with open('data.txt') as f:
    print(f.read())

# expect: 1:6: the builtin 'open' is not in the guest language; write os.open()
