"""Time to event: pure functions on time, event (1) or censoring (0), and scores.

Everywhere a patient who is censored at the moment of an event is still at risk of it (events come first).
"""
