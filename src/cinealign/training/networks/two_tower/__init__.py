"""The two-tower network: posters and intros to one vector a side, started at closed forms and trained from there.

| file | what |
|---|---|
| two_towers.py | the module: both towers, what they share, and the unit vectors that come out |
| poster_tower.py | readings of the lettering, picture and letters of a poster, weighed by gates |
| intro_tower.py | an intro through the same language models and the same table of letters |
| reading.py | one text through one language model: its main directions, a closed form, an adapter |
| likeness.py | what train items like this one say of it |
| gates.py | how much each part of a poster counts, by what there is of it |
| ngrams.py | letters of a text as a weighted bag, and the table of their rows |
| hubs.py | items that are near everything are moved away from everything |
| memory.py | codes by which train pairs are remembered |
| intro_side.py | the intro's way through a saved network in NumPy, for a query that must not wait for PyTorch |
"""
