"""A simulated world behind a scripted chat endpoint: people, a judge and a manager that need no model.

What it is. Texts carry twelve latent qualities to graded degrees, in sentences that a plain function can count
(`qualities`, `texts`). A world's people care about five or six of them with unequal weights, dislike one or two, do
not care for the rest, and prefer by a logistic law with label noise on top (`people`). A judge reads a criterion's
words, finds how well they point at a quality and compares the texts with noise that shrinks as the pointing gets
better (`pointing`, `judging`). A manager explains pairs, proposes good, redundant and useless criteria, criticises
and rewrites (`managing`, `rewriting`). A knowledge base holds mostly useless entries (`catalogue`). `dialect` speaks
all of this in the project's own prompts; the plain functions can serve any other client. Everything follows from
seeds. Worlds 0-99 are for reported results, worlds from 1000 on for development.

What it shows. Whether the procedure finds the criteria that the world's people use, wastes few calls, withstands
noise, bias and unreadable replies, and claims no more than it keeps on new pairs; and that the machinery around it
loses, doubles and mixes up nothing. Oracle figures (`oracle`) say what the best procedure could reach.

What it cannot show. How good any model is, how people argue, or how well real criteria transfer. Qualities here are
independent, criteria mean what twelve short word lists say, and the judge errs by a formula: halo, position bias and
crowding are parameters, not findings. A policy that wins here has an algorithm that works under these assumptions.
"""
