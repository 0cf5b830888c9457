"""Every loss: a value known by hand, an asymmetric case against a slow loop, correct gradients, recipe errors."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cinealign.errors import ConfigError
from cinealign.training.losses.base import Known, LogitScale, Loss, Teacher
from cinealign.training.losses.mixup import Mixture
from cinealign.training.losses.objective import Objective
from cinealign.training.losses.options import MAX_LOGIT_SCALE
from cinealign.training.losses.registry import LOSSES

B, D = 5, 4
SPECS = [
    {"loss": "info_nce"},
    {"loss": "info_nce", "label_smoothing": 0.1, "soft_targets": 0.3, "temperature": 0.5},
    {"loss": "sigmoid", "bias": -1.0, "temperature": 0.5},
    {"loss": "triplet", "hinges": "sum"},
    {"loss": "triplet", "hinges": "max"},
    {"loss": "decoupled", "temperature": 0.5},
    {"loss": "distillation", "teacher": 0, "temperature": 0.5, "teacher_temperature": 0.5},
    {"loss": "genre"},
]


def build_loss(spec: dict[str, object]) -> Loss:
    return LOSSES.make(LOSSES.parse(spec))


def weighed(specs: list[dict[str, object]], known: Known) -> Objective:
    return Objective([LOSSES.parse(spec) for spec in specs], known)


def sides(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    drawn = [F.normalize(torch.randn(B, D, generator=generator, dtype=torch.float64), dim=1) for _ in range(3)]
    return [side.to(dtype) for side in drawn]


def known(dtype=torch.float32):
    poster, intro, features = sides(dtype)
    labels = {"genre": torch.tensor([[1, 0], [0, 1], [1, 1], [0, 0], [1, 0]], dtype=dtype)}
    teacher = Teacher(intro.flip(0), poster, torch.tensor([0, 0, 1, 1, 1]))
    return Known(B, D, features, labels, {0: teacher})


def batch(poster, intro, dtype=torch.float32):
    return known(dtype).batch(poster, intro, torch.arange(B))


def equal():
    same = torch.full((B, D), 0.5)  # unit rows, exact in float32
    return batch(same, same)


def value(spec, given):
    return weighed([spec], known())(given).item()


def test_values_of_a_collapsed_space_are_known_by_hand():
    assert value({"loss": "info_nce"}, equal()) == pytest.approx(math.log(B))
    assert value({"loss": "info_nce", "label_smoothing": 0.2}, equal()) == pytest.approx(math.log(B))
    assert value({"loss": "decoupled"}, equal()) == pytest.approx(math.log(B - 1), abs=1e-5)
    assert value({"loss": "triplet", "margin": 0.3}, equal()) == pytest.approx(0.6)
    assert value({"loss": "triplet", "margin": 0.3, "hinges": "sum"}, equal()) == pytest.approx(0.6 * (B - 1))
    assert value({"loss": "genre"}, equal()) == pytest.approx(math.log(2))
    nothing = batch(torch.zeros(B, D), torch.zeros(B, D))
    assert value({"loss": "sigmoid", "bias": 0}, nothing) == pytest.approx(B * math.log(2))


def test_distillation_is_zero_where_the_student_agrees_and_only_within_folds():
    teacher = known().teachers[0]
    spec = {"loss": "distillation", "teacher": 0, "teacher_temperature": 0.2, "temperature": 0.2}
    assert value(spec, batch(teacher.poster, teacher.intro)) == pytest.approx(0.0, abs=1e-6)
    # Two pairs, the teacher undecided, the student's logits apart by 1: KL = -log(s(1) s(-1)) / 2 - log 2.
    undecided = Teacher(torch.ones(2, 1), torch.ones(2, 1), torch.zeros(2, dtype=torch.int64))
    poster, intro = torch.tensor([[1.0], [1.0]]), torch.tensor([[1.0], [0.0]])
    told = Known(2, 1, teachers={0: undecided}).batch(poster, intro, torch.arange(2))
    loss = build_loss({"loss": "distillation", "teacher": 0, "temperature": 1.0})
    by_hand = -math.log(1 / (1 + math.exp(-1)) / (1 + math.exp(1))) / 2 - math.log(2)
    assert float(loss(told)) == pytest.approx(by_hand / 2)  # the other direction sees equal logits: 0
    alone = Teacher(undecided.poster, undecided.intro, torch.arange(2))
    apart = Known(2, 1, teachers={0: alone}).batch(poster, intro, torch.arange(2))
    assert float(loss(apart)) == pytest.approx(0.0)


def slow_info_nce(poster, intro, scale, targets):
    total = 0.0
    for i in range(len(poster)):
        for query, gallery in ((poster[i], intro), (intro[i], poster)):
            weights = [math.exp(scale * float(query @ item)) for item in gallery]
            total -= sum(t * math.log(w / sum(weights)) for t, w in zip(targets[i], weights, strict=True))
    return total / (2 * len(poster))


def test_info_nce_equals_the_slow_loop_with_and_without_soft_targets():
    poster, intro, features = sides()
    hard = np.eye(B)
    assert value({"loss": "info_nce", "temperature": 0.2}, batch(poster, intro)) == pytest.approx(
        slow_info_nce(poster, intro, 5.0, hard), rel=1e-5
    )
    soft = torch.softmax(features @ features.T / 0.1, dim=1).numpy()
    targets = 0.9 * (0.7 * hard + 0.3 * soft) + 0.1 / B
    spec = {
        "loss": "info_nce",
        "temperature": 0.2,
        "label_smoothing": 0.1,
        "soft_targets": 0.3,
        "soft_temperature": 0.1,
    }
    assert value(spec, batch(poster, intro)) == pytest.approx(slow_info_nce(poster, intro, 5.0, targets), rel=1e-5)


def test_near_duplicate_intros_are_pushed_apart_less():
    _, intro, _ = sides()
    twins = Known(B, D, torch.ones(B, 1))
    like = twins.batch(intro, intro, torch.arange(B))
    hard, soft = (float(build_loss({"loss": "info_nce", "soft_targets": share})(like)) for share in (0.0, 0.9))
    assert soft > hard  # intros that are all alike: being sure of one of them is punished
    with pytest.raises(ConfigError, match="soft_targets compares intros by their features"):
        weighed([{"loss": "info_nce", "soft_targets": 0.5}], Known(B, D))


def test_sigmoid_triplet_and_decoupled_equal_slow_loops():
    poster, intro, _ = sides()
    s = (poster @ intro.T).double().numpy()
    sigmoid = -sum(
        math.log(1 / (1 + math.exp(-(1 if i == j else -1) * (2 * s[i, j] - 1)))) for i in range(B) for j in range(B)
    )
    assert value({"loss": "sigmoid", "temperature": 0.5, "bias": -1}, batch(poster, intro)) == pytest.approx(
        sigmoid / B
    )
    rows = [[max(0.0, 0.2 + s[i, j] - s[i, i]) for j in range(B) if j != i] for i in range(B)]
    columns = [[max(0.0, 0.2 + s[j, i] - s[i, i]) for j in range(B) if j != i] for i in range(B)]
    together = [*rows, *columns]
    assert value({"loss": "triplet"}, batch(poster, intro)) == pytest.approx(sum(map(max, together)) / B)
    assert value({"loss": "triplet", "hinges": "sum"}, batch(poster, intro)) == pytest.approx(
        sum(map(sum, together)) / B
    )
    decoupled = np.mean(
        [
            np.log(sum(math.exp(2 * t[i, j]) for j in range(B) if j != i)) - 2 * t[i, i]
            for t in (s, s.T)
            for i in range(B)
        ]
    )
    assert value({"loss": "decoupled", "temperature": 0.5}, batch(poster, intro)) == pytest.approx(decoupled)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_gradients_are_correct(spec):
    objective = weighed([spec], known(torch.float64)).double()
    poster, intro, _ = sides(torch.float64)
    inputs = (poster.requires_grad_(), intro.requires_grad_())
    assert torch.autograd.gradcheck(lambda p, q: objective(batch(p, q, torch.float64)), inputs)
    learned = [p for p in objective.parameters() if p.requires_grad]
    if learned:
        objective(batch(poster, intro, torch.float64)).backward()
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in learned)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_order_of_the_batch_does_not_matter(spec):
    poster, intro, _ = sides()
    objective, order = weighed([spec], known()), torch.tensor([3, 0, 4, 1, 2])
    turned = objective.known.batch(poster[order], intro[order], order)
    assert float(objective(turned)) == pytest.approx(float(objective(batch(poster, intro))), rel=1e-5)


def test_bank_adds_negatives_but_never_the_movies_of_the_batch():
    poster, intro, _ = sides()
    loss = build_loss({"loss": "info_nce", "bank": 7, "temperature": 1.0})
    facts = Known(20, D)
    first = float(loss(facts.batch(poster, intro, torch.arange(B))))
    assert float(loss(facts.batch(poster, intro, torch.arange(B)))) == pytest.approx(first)  # the same movies: left out
    others = float(loss(facts.batch(poster, intro, torch.arange(B) + B)))
    by_hand = -np.mean(
        [
            float(F.log_softmax(torch.cat([q @ side.T, q @ side.T, q @ side[:2].T]), dim=0)[i])
            for one, side in ((poster, intro), (intro, poster))
            for i, q in enumerate(one)
        ]
    )
    assert others == pytest.approx(by_hand, rel=1e-5)  # the bank holds the first batch twice, cut at 7
    assert others > first


def test_scale_is_capped():
    scale = LogitScale(1e-4, True)
    assert float(scale()) == MAX_LOGIT_SCALE
    assert LogitScale(0.07, False).temperature == pytest.approx(0.07)


def test_mixtures_mix_everything_alike():
    mixture = Mixture(torch.tensor([1, 2, 3, 4, 0]), 0.25)
    values = torch.arange(B, dtype=torch.float32)[:, None]
    assert mixture(values).ravel().tolist() == [0.75, 1.75, 2.75, 3.75, 1.0]
    mixed = known().batch(*sides()[:2], torch.tensor([4, 3, 2, 1, 0]), mixture)
    assert mixed.rows.tolist() == [[4, 3], [3, 2], [2, 1], [1, 0], [0, 4]]
    assert mixed.labels["genre"][0].tolist() == [0.25, 0.0]
    drawn = Mixture.draw(B, 1.0, np.random.default_rng(0))
    assert sorted(drawn.partner.tolist()) == list(range(B)) and 0 <= drawn.share <= 1


def test_objective_is_the_weighted_sum_and_reports():
    poster, intro, _ = sides()
    parts = [{"loss": "info_nce", "weight": 2.0}, {"loss": "genre", "weight": 0.5}]
    both = weighed(parts, known())
    assert float(both(batch(poster, intro))) == pytest.approx(
        2 * value({"loss": "info_nce"}, batch(poster, intro)) + 0.5 * math.log(2), rel=1e-5
    )
    told = both.report()
    assert told.pop("loss_genre") == pytest.approx(math.log(2))
    assert told.pop("loss_info_nce") == pytest.approx(value({"loss": "info_nce"}, batch(poster, intro)))
    assert told == {"temperature": pytest.approx(0.07)}


def test_refusals_name_the_choices():
    with pytest.raises(ConfigError, match="unknown loss 'nce'; choose one of: decoupled"):
        LOSSES.parse({"loss": "nce"})
    with pytest.raises(ConfigError, match="loss is missing; choose one of: decoupled"):
        LOSSES.parse({})
    with pytest.raises(ConfigError, match=r"temperature must be >= 0\.01"):
        LOSSES.parse({"loss": "info_nce", "temperature": -1})
    with pytest.raises(ConfigError, match="no labels 'mood'; there are: genre"):
        weighed([{"loss": "genre", "labels": "mood"}], known())
    with pytest.raises(ConfigError, match=r"no teacher at align\[3\]"):
        weighed([{"loss": "distillation", "teacher": 3}], known())
    assert {spec["loss"] for spec in SPECS} == set(LOSSES.names())


def test_a_scale_stays_a_number_whatever_was_learned():
    scale = LogitScale(0.07, True)
    for learned, factor in ((-1e4, 1e-3), (1e4, 100.0)):
        scale.log_logit_scale.data.fill_(learned)
        assert scale().item() == pytest.approx(factor) and scale.temperature == pytest.approx(1 / factor)


@pytest.mark.parametrize("name", ["info_nce", "sigmoid", "decoupled", "distillation"])
def test_a_temperature_beyond_the_cap_is_refused(name):
    given = {"loss": name, **({"teacher": 0} if name == "distillation" else {})}
    assert build_loss({**given, "temperature": 0.01}).scale().item() == pytest.approx(100)
    with pytest.raises(ConfigError, match=r"temperature must be >= 0\.01, got 0\.005"):
        build_loss({**given, "temperature": 0.005})  # it would be 0.01 all the same, and never learn
