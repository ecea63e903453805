"""What a camera says of itself by ONVIF: who it is, its streams, its clock, its alarms; and its clock, set on order.

::

    wire       one HTTP exchange: a deadline over all of it, a limit of size, no redirect followed, digest sign-in
    soap       envelopes and answers: no document type declaration is ever read, a fault is one sentence
    client     calls to one camera, signed with the camera's own time
    clock      how far its clock is off, to a fraction of a second; setting it
    device     maker and model; profiles, stream and snapshot addresses
    events     alarms by PullPoint
    discovery  WS-Discovery on chosen networks, or one address

Why this is our own and not a library: docs/decisions/0006-own-onvif-client.md.
"""
