import os
import threading

threading.Thread(target=os.getpid).start()

# expect: 4:25: 'os.getpid' is not a value; call it: os.getpid(...)
