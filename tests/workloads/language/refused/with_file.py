with open('data.txt') as f:
    print(f.read())

# expect: 1:6: the name 'open' is not in the guest language; write os.open()
# expect: 2:11: the method 'read' is not in the guest language; use the methods of its types
