print((1).__class__)

# expect: 1:7: the attribute '__class__' begins with an underscore; use the names of the language's tables
