"""What a logging configuration protects, found out by trying it: in a process of its own.

running     starts the child process, reads its report
loading     CONFIG or application -> a live logging tree; faults: all that is wrong with one
sandbox     files and spools go into a temporary directory, nothing goes to the network
tree        loggers, handlers, and the ways records take between them
verdicts    what protects each handler; loggers: levels, duplicates, what falls through
patches     what others have put into `logging` and into the hooks for uncaught exceptions
sample      a made-up call with secrets, through every handler, captured
terminal    the report for people
traces      a secret in any form in which it may come out
recording   all that a process writes meanwhile, for tests; streams: stdout and stderr
"""
