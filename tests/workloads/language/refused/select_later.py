import os
import select

r, w = os.pipe()
print(select.select([r], [], [], 1.0))

# expect: 2:1: 'select' is in the guest language but not implemented yet; leave it out
# expect: 5:7: 'select.select' is in the guest language but not implemented yet; leave it out
