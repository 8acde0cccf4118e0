async def main():
    await main()

# expect: 1:1: async functions are not supported; write def, and threads
