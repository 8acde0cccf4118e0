code = 3
match code:
    case 3:
        print('three')

# expect: 2:1: match is not supported; write if and elif
