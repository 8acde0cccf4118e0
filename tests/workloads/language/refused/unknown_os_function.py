import os

os.system('ls')
os.popen('ls')

# expect: 3:1: 'os.system' is not in the guest language; write os.posix_spawn() and os.waitpid()
# expect: 4:1: 'os.popen' is not in the guest language; write os.pipe(), os.fork() and os.execv()
