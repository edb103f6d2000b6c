"""What a logging configuration protects, found out by trying it: in a process of its own.

running     starts the child process, reads its report (findings: its values; terminal: for people)
child       what that process does, in the order below
sandbox     files and spools go into a temporary directory, nothing goes to the network
loading     CONFIG or application -> a live logging tree; faults: all that is wrong with one
tree        loggers, handlers, and the ways records take between them
verdicts    what protects each handler; loggers: levels, duplicates, what falls through
patches     what others have put into `logging` and into the hooks for uncaught exceptions
sample      a made-up call with secrets, through every handler, captured

For users' tests:

traces      a secret in any form in which it may come out
recording   all that this process writes meanwhile; streams: stdout and stderr
guarding    both together: secrets that must not come out, values that must
"""
