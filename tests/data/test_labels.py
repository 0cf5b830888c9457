from dataclasses import replace

import numpy as np

from cinealign.data.labels import train_labels


def test_labels_are_those_of_train_movies_only(sample):
    labels = train_labels(sample)["genre"]
    train = [sample.movies[row] for row in sample.train_rows]
    names = sorted({genre for movie in train for genre in movie.genres})
    assert labels.shape == (len(train), len(names)) and labels.dtype == np.float32
    for row, movie in zip(labels, train, strict=True):
        assert {name for name, there in zip(names, row, strict=True) if there} == set(movie.genres)
    secret = tuple(
        movie if row in sample.train_rows else replace(movie, genres=("Unheard of",))
        for row, movie in enumerate(sample.movies)
    )
    np.testing.assert_array_equal(train_labels(replace(sample, movies=secret))["genre"], labels)
