# %% [markdown] lang="en"
# # Which poster belongs to which intro?
# A movie has two sides: its poster and a short text, the intro. This notebook learns from a few pairs which poster
# belongs to which intro, computes the matrix `D` of distances between all posters and all intros, and measures how often a
# movie's own partner is among the nearest.
#
# The steps: **1** data · **2** filtering · **3** preprocessing · **4** dataset · **5** model · **6** training or loading ·
# **7** `D` · **8** `get_acc` · **9** examples · **10** the three questions · **11** how far to trust it.
# Two kinds of movies matter throughout: *train* movies are named in `train.txt`, and nothing is learned from any other;
# *held-out* movies are all the rest.

# %% [markdown] lang="zh"
# # 哪张海报属于哪段简介？
# 一部电影有一张海报和一段简短的文字，即简介。本 notebook 从少量配对中学习哪张海报属于哪段简介，计算所有海报与所有简介之间的距离矩阵
# `D`，并统计正确匹配项有多少次排在前 5 %。
#
# 步骤：**1** 数据 · **2** 过滤 · **3** 预处理 · **4** 数据集 · **5** 模型 · **6** 训练或载入 · **7** `D` · **8** `get_acc` ·
# **9** 例子 · **10** 三个问题 · **11** 结果可信到什么程度。
# 全文区分两类电影：*训练*电影（train）列在 `train.txt` 中，任何参数都只从它们学到；其余都是*留出*电影（held-out）。

# %% [markdown] lang="en"
# The data folder (with `info.csv`, `poster/` and `train.txt`) is expected at `DATA`. With `TRAIN = False` the saved model
# is loaded from `RUN`; with `TRAIN = True` it is trained again into `TRAINED`. Either way the model encodes every poster and
# intro again. Features that an earlier run computed on this machine are reused; without them, reading three thousand
# posters takes about ten minutes.

# %% [markdown] lang="zh"
# 数据文件夹（含 `info.csv`、`poster/` 和 `train.txt`）应在 `DATA` 处。`TRAIN = False` 时从 `RUN` 载入保存的模型，`TRAIN = True` 时重新训练并写入
# `TRAINED`。两种情况下模型都重新编码每张海报和每段简介。本机以前的运行算过的特征会直接取用；从零开始的话，读三千张海报约需十分钟。

# %% tags=["parameters"]
from pathlib import Path

DATA = Path("data/movielens")
RUN = Path("runs/default")
RECIPE = Path("runs/default/recipe.yaml")
TRAINED = Path("trained")
TRAIN = False
LANGUAGE = "en"
TRAIN_IDS = "auto"
MISSING_INTRO = "error"

# %% tags=["own-source"]
import sys

sys.path.insert(0, "src")  # the source that was handed in along with this notebook

# %%
# %matplotlib inline
import warnings
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown, display

from cinealign import Catalogue, Recipe, Run, __version__, align, course_score, get_acc
from cinealign.analysis.analyse import Analysis, analyse
from cinealign.data.intros import english_stop_words, tokens
from cinealign.data.labels import train_labels
from cinealign.data.movie_table import read_movie_table
from cinealign.data.posters import find_posters, open_poster
from cinealign.evaluation.metrics import evaluate_vectors
from cinealign.evaluation.ranks import retrieval_ranks
from cinealign.figures import drawing, label_of, spoken
from cinealign.model import Extracts, build_views
from cinealign.phrases import said
from cinealign.report.answers import Answers
from cinealign.report.data_frames import accuracy_table, expert_table, movie_table
from cinealign.report.gallery import poster_gallery
from cinealign.studies.curves import draw_run
from cinealign.views.poster.lettering import lettering_texts
from cinealign.views.store import FeatureStore

warnings.filterwarnings("ignore")
pd.set_option("display.max_colwidth", 110, "display.max_rows", 200, "display.max_columns", 40)
display(HTML("<style>.dataframe th {white-space: nowrap} .dataframe td {word-break: keep-all}</style>"))


def say(text, /, **values):
    print(label_of(text, LANGUAGE).format(**values))


def word(text):
    return label_of(text, spoken(LANGUAGE))


def line(text):
    return said(text) if LANGUAGE == "zh" else text


say("cinealign {version}", version=__version__)

# %% [markdown] lang="en"
# ## 1. Data
# The table of movies as it is given, and the folder of pictures.

# %% [markdown] lang="zh"
# ## 1. 数据
# 原始的电影表，以及旁边的图片。

# %%
table, pictures = read_movie_table(DATA), find_posters(DATA)
say(
    "{name}: {rows} rows; poster folder: {files} pictures",
    name=table.name,
    rows=len(table.rows),
    files=len(pictures.files),
)
movie_table(table.rows, LANGUAGE).head()

# %% [markdown] lang="en"
# ## 2. Filtering
# Movies without a poster are left out, the others keep their order: from here on row *i* of every matrix is movie *i* of
# this catalogue. Everything that is dropped is counted.

# %% [markdown] lang="zh"
# ## 2. 过滤
# 去掉没有海报的电影，其余保持原来的顺序：从这里起，任何矩阵的第 *i* 行都是目录中的第 *i* 部电影。丢弃的每一项都会计数。

# %%
catalogue = Catalogue.load(DATA, train_ids=TRAIN_IDS, missing_intro=MISSING_INTRO)
N = len(catalogue)
print("\n".join(map(line, catalogue.report.lines())))

# %%
movie_table(catalogue.movies, LANGUAGE).tail()

# %%
sampled = np.random.default_rng(0).choice(catalogue.train_rows, 12, replace=False)
poster_gallery([catalogue.movies[row] for row in sampled])

# %% [markdown] lang="en"
# ## 3. Preprocessing
# **Intros.** HTML entities and control characters are resolved when the table is read. Views that count words split an
# intro into lower-case words, drop stop words and cut endings to stems; a language model gets the sentence as it is.

# %% [markdown] lang="zh"
# ## 3. 预处理
# **简介。** 读表时就处理了 HTML 实体和控制字符。基于词频的视图把简介拆成小写单词，去掉停用词，再取词干；语言模型则直接读整句话。

# %%
intro = catalogue.intros[catalogue.train_rows[0]]
say("intro: {text}", text=intro)
say("words: {words}", words=tokens(intro, stop_words=False, stem=False))
say("stems: {words}", words=tokens(intro))

# %% [markdown] lang="en"
# The vocabulary comes from the intros of train movies only.

# %% [markdown] lang="zh"
# 词表只来自训练电影的简介。

# %%
words = Counter(word for row in catalogue.train_rows for word in tokens(catalogue.intros[row]))
lengths = [len(tokens(text, stop_words=False)) for text in catalogue.intros]
stops, train_count = len(english_stop_words()), len(catalogue.train_rows)
say("{stops} stop words; {stems} stems in {intros} train intros", stops=stops, stems=len(words), intros=train_count)
say("most frequent: {words}", words=", ".join(f"{stem} {count}" for stem, count in words.most_common(15)))

with drawing(spoken(LANGUAGE)):
    figure, axes = plt.subplots(figsize=(6, 2))
    axes.hist(lengths, bins=40, color="#0072B2")
    axes.set(xlabel=word("words in an intro, stop words included"), ylabel=word("number of items"))
    plt.show()

# %% [markdown] lang="en"
# **Posters.** Pictures are decoded to RGB and turned upright; each view then scales them as its network expects.

# %% [markdown] lang="zh"
# **海报。** 图片解码为 RGB 并转正；随后每个视图按自己的网络所要求的大小缩放。

# %%
sizes = Counter(open_poster(poster).size for poster in catalogue.posters)
shown = ", ".join(f"{w} x {h}: {count}" for (w, h), count in sizes.most_common(5))
say("width x height: {sizes}", sizes=shown)

# %% [markdown] lang="en"
# ## 4. Dataset
# A recipe names the *views*, ways of looking at one side. Their frozen parts look at each item alone and can never learn
# from one; that result is kept on disk. Everything that learns gets a `TrainingSet`, which holds the train rows and
# nothing else.

# %% [markdown] lang="zh"
# ## 4. 数据集
# 配方（recipe）列出若干*视图*（view），即观察海报或简介的方式。视图中冻结的部分只单独看每一项，学不到任何东西，结果保存在磁盘上。
# 一切需要学习的部分只拿到 `TrainingSet`，其中只有训练行。

# %%
store = FeatureStore()
recipe = Recipe.load(RECIPE)
extracts = Extracts.of(recipe, catalogue.posters, catalogue.intros, store)
training = extracts.training_set(catalogue.train_rows, train_labels(catalogue))
say(
    "{pairs} train pairs of N = {n}; {held_out} held-out items are not among them",
    pairs=training.size,
    n=N,
    held_out=N - training.size,
)
pd.DataFrame(
    [
        {
            word("side"): word(side),
            word("view"): name,
            word("kind"): recipe.views[name].view,
            word("one item"): word("several arrays")
            if hasattr(seen[0], "_fields")
            else str(getattr(seen[0], "shape", word("a list of words"))),
        }
        for side, views in (("poster", training.poster), ("intro", training.intro))
        for name, seen in views.items()
    ]
)

# %% [markdown] lang="en"
# What an OCR engine reads on some posters, where a view of this recipe looks at lettering:

# %% [markdown] lang="zh"
# 如果配方中有看文字的视图，这是 OCR 在几张海报上读到的内容：

# %%
lettering = lettering_texts(build_views(recipe).values(), catalogue.posters, store)
if lettering is None:
    say("no view of this recipe reads the lettering")
else:
    say("{count} of {n} posters give no readable word", count=sum(not text for text in lettering), n=N)
    for row in sampled[:6]:
        print(f"{catalogue.movies[row].title:40s} | {lettering[row][:90]}")

# %% [markdown] lang="en"
# ## 5. Model
# An *expert* is a pair of maps, poster to vector and intro to vector, into one space. With $w_e$ the weight of expert $e$ and
# $p_i^e$, $t_j^e$ its unit vectors of poster $i$ and intro $j$, the similarity of a pair is the weighted sum of cosines
# $s_{ij} = \sum_e w_e\, p_i^e \cdot t_j^e$. That is one inner product of concatenated vectors, so the whole model still gives one vector per
# poster and one vector per intro. Weights are chosen on *out-of-fold* train pairs: pairs that the expert was not fitted on.

# %% [markdown] lang="zh"
# ## 5. 模型
# 一个*专家*（expert）是一对映射：海报到向量、简介到向量，落在同一个空间。设专家 $e$ 的权重为 $w_e$，它给海报 $i$ 和简介 $j$ 的单位向量为
# $p_i^e$、$t_j^e$，一对的相似度是余弦的加权和 $s_{ij} = \sum_e w_e\, p_i^e \cdot t_j^e$。这就是拼接后向量的一个内积，所以整个模型仍是每张海报一个向量、
# 每段简介一个向量。权重由*折外*训练对决定，即专家没有拟合过的配对。

# %%
pd.DataFrame([options.model_dump() for options in recipe.align]).fillna("")

# %% [markdown] lang="en" tags=["network"]
# ### The source of the network
# The network is one `nn.Module` with two towers. These are its installed files, printed by `inspect.getsource`.

# %% [markdown] lang="zh" tags=["network"]
# ### 网络的源代码
# 网络是一个含两座塔的 `nn.Module`。下面用 `inspect.getsource` 打印已安装的源文件，与实际运行的代码一致。

# %% tags=["network"]
import inspect

import torch
from torch.utils.data import DataLoader, Dataset

from cinealign.report.training_story import (
    changed_history,
    history_table,
    over_fitting,
    parameter_table,
    place_of_network,
    remembered,
)
from cinealign.training.experts import network_members
from cinealign.training.loop import train as training_loop
from cinealign.training.loop.schedules import SCHEDULES
from cinealign.training.losses.base import Known
from cinealign.training.losses.info_nce import InfoNce
from cinealign.training.losses.options import InfoNceOptions
from cinealign.training.networks.two_tower import intro_tower, poster_tower, two_towers


def source(part):
    display(Markdown(f"```python\n{inspect.getsource(part)}```"))


source(two_towers)

# %% tags=["network"]
source(poster_tower)
source(intro_tower)

# %% [markdown] lang="en" tags=["network"]
# ### Train pairs as a Dataset
# One item is one train pair: what each view sees of the poster and of the intro. A `DataLoader` stacks the numbers of a batch.
# The training loop below does the same with whole inner folds: a batch comes from one fold, because each fold has closed forms that were
# fitted without it.

# %% [markdown] lang="zh" tags=["network"]
# ### 训练对作为 Dataset
# 每个元素是一个训练对：各视图从海报和简介得到的内容。`DataLoader` 把一批数值堆叠起来。后面的训练循环以整个内部折为单位：
# 一批只来自一个折，因为每个折都有不用它拟合的闭式解。


# %% tags=["network"]
class TrainPairs(Dataset):
    def __init__(self, training):
        self.training = training

    def __len__(self):
        return self.training.size

    def __getitem__(self, row):
        return tuple(
            {name: seen[row] for name, seen in side.items()} for side in (self.training.poster, self.training.intro)
        )


loader = DataLoader(TrainPairs(training), batch_size=min(32, training.size), shuffle=True)
batch = next(iter(loader))
pd.DataFrame(
    [
        {
            word("side"): word(side),
            word("view"): name,
            word("one batch"): str(tuple(seen.shape)) if torch.is_tensor(seen) else word("a list of texts"),
        }
        for side, views in zip(("poster", "intro"), batch, strict=True)
        for name, seen in views.items()
    ]
)

# %% [markdown] lang="en" tags=["network"]
# ### Hyper-parameters: change them
# Put changes into `CHANGES` in the form that `--set` takes, set `TRAIN = True` above and run all cells. An example:
# `CHANGES = ["align.0.training.learning_rate=0.003", "align.0.rank=64"]`. The cell after the learning curves compares the change with the
# saved run on inner folds of the train pairs. Held-out movies are never used to choose.

# %% [markdown] lang="zh" tags=["network"]
# ### 超参数：动手修改
# 把修改按 `--set` 的写法填入 `CHANGES`，将上面的 `TRAIN` 设为 `True`，再运行全部单元格。例如：
# `CHANGES = ["align.0.training.learning_rate=0.003", "align.0.rank=64"]`。学习曲线之后的单元格在训练对的内部折上比较修改后的结果与保存的运行。
# 选择超参数时绝不使用留出电影。

# %% tags=["network"]
CHANGES = []

recipe = Recipe.load(RECIPE, overrides=CHANGES)
network = place_of_network(recipe)
settings = recipe.align[network].training
if CHANGES and not TRAIN:
    say("CHANGES has no effect while TRAIN = False")
pd.Series(settings.model_dump(exclude={"early_stopping"}), name=word("value")).to_frame()

# %% [markdown] lang="en" tags=["network"]
# ### Loss
# InfoNCE: with unit vectors $p_i$, $t_j$ of a batch of $B$ pairs and temperature $\tau$, every poster has to find its intro and every intro
# its poster:
# $$L = -\frac{1}{2B}\sum_i \left[\log\frac{e^{p_i \cdot t_i/\tau}}{\sum_j e^{p_i \cdot t_j/\tau}}
# + \log\frac{e^{p_i \cdot t_i/\tau}}{\sum_j e^{p_j \cdot t_i/\tau}}\right]$$
# The library's loss can learn $\tau$ and smooth targets. Without these it equals the lines below. The recipe's options are shown last.

# %% [markdown] lang="zh" tags=["network"]
# ### 损失
# InfoNCE：设一批 $B$ 对的单位向量为 $p_i$、$t_j$，温度为 $\tau$，每张海报要找到自己的简介，每段简介要找到自己的海报：
# $$L = -\frac{1}{2B}\sum_i \left[\log\frac{e^{p_i \cdot t_i/\tau}}{\sum_j e^{p_i \cdot t_j/\tau}}
# + \log\frac{e^{p_i \cdot t_i/\tau}}{\sum_j e^{p_j \cdot t_i/\tau}}\right]$$
# 库中的损失还能学习 $\tau$、平滑目标；不使用这些选项时与下面的代码相等。最后列出配方所用的选项。


# %% tags=["network"]
def info_nce(poster, intro, temperature):
    logits = poster @ intro.T / temperature
    own = torch.arange(len(logits))
    poster_to_intro = torch.nn.functional.cross_entropy(logits, own)
    intro_to_poster = torch.nn.functional.cross_entropy(logits.T, own)
    return (poster_to_intro + intro_to_poster) / 2


generator = torch.Generator().manual_seed(0)
p, t = (torch.nn.functional.normalize(torch.randn(8, 16, generator=generator), dim=1) for _ in range(2))
library = InfoNce(InfoNceOptions(temperature=0.1))(Known(8, 16).batch(p, t, torch.arange(8)))
say("ten lines: {ours:.4f}, library: {library:.4f}", ours=float(info_nce(p, t, 0.1)), library=float(library))
pd.Series(recipe.align[network].loss.model_dump(), name=word("value")).to_frame()

# %% [markdown] lang="en" tags=["network"]
# ### Optimiser and schedule
# The optimiser is the one named above. `decay_to: start` pulls the weights to the closed forms where they began, not to zero. The
# curve is the learning rate over the training.

# %% [markdown] lang="zh" tags=["network"]
# ### 优化器与学习率调度
# 优化器见上表。`decay_to: start` 把权重拉向起点处的闭式解，而不是拉向零。下图是训练过程中的学习率。

# %% tags=["network"]
steps = 50 * settings.epochs
rates = [settings.learning_rate * SCHEDULES[settings.schedule](step, steps, settings.warm_up) for step in range(steps)]
with drawing(spoken(LANGUAGE)):
    figure, axes = plt.subplots(figsize=(6, 2))
    axes.plot(np.arange(steps) / 50, rates, color="#0072B2")
    axes.set(xlabel=word("epoch"), ylabel=word("learning rate"))
    plt.show()

# %% [markdown] lang="en" tags=["network"]
# ### Training loop
# `train_members` trains one copy of the network per inner fold, each without its fold, and averages their weights. `train` is the loop
# over epochs and batches.

# %% [markdown] lang="zh" tags=["network"]
# ### 训练循环
# `train_members` 为每个内部折训练网络的一个副本（训练时不含该折），再对它们的权重取平均。`train` 是按轮次和批次的循环。

# %% tags=["network"]
source(network_members.train_members)
source(training_loop.train)

# %% [markdown] lang="en"
# ## 6. Training, or loading the saved model
# The same cell does either. `align` fits on the train pairs, scores all pairs and writes the run directory; `Run` reads a
# finished one back, weights included.

# %% [markdown] lang="zh"
# ## 6. 训练，或载入保存的模型
# 同一个单元格完成两者之一。`align` 在训练对上拟合，对所有配对评分并写出运行目录；`Run` 读回已完成的运行，包括权重。

# %%
if TRAIN:
    run = align(catalogue, recipe, TRAINED, store=store, force=True)
else:
    run = Run(RUN)  # the saved weights
model = run.model
expert_table(model, LANGUAGE)

# %% [markdown] lang="en"
# Learning curves where an expert trains in epochs, with the loss of train pairs as a line and that of pairs left out of the training
# (the validation curve) as dots; then accuracy as a growing part of the gallery counts as near:

# %% [markdown] lang="zh"
# 若有专家按轮次训练，这里是学习曲线：实线为训练对的损失，点线为未参与训练的配对的损失（验证曲线）；还有 top-p 准确率随 p（候选集中取前 p 的比例）的变化：

# %%
draw_run(run, spoken(LANGUAGE))

# %% [markdown] lang="en" tags=["network"]
# ### What training did
# Trained and frozen parameters, then the history, one row per epoch: epoch 0 is the closed forms. The inner accuracy and the inner log rank are
# measured on the fold that a member did not see; the epoch with the lowest log rank is kept.

# %% [markdown] lang="zh" tags=["network"]
# ### 训练的结果
# 先是训练的和冻结的参数，再是训练历史，每轮一行：第 0 轮是闭式解。内部准确率和内部对数名次在成员没有见过的折上测得；保留对数名次最低的一轮。

# %% tags=["network"]
parameter_table(model.experts[network].towers, LANGUAGE)

# %% tags=["network"]
history = run.history
history_table(history, LANGUAGE)

# %% tags=["network"]
for verdict, numbers in (over_fitting(history), *remembered(history)):
    say(verdict, **numbers)

# %% [markdown] lang="en" tags=["network"]
# The changed run beside the saved one, on inner folds only:

# %% [markdown] lang="zh" tags=["network"]
# 修改后的运行与保存的运行对比，只看内部折：

# %% tags=["network"]
comparison = changed_history(RUN, run, LANGUAGE)
if comparison is None:
    say("no second run to compare with: set TRAIN = True beside a saved RUN")
else:
    display(comparison)

# %% [markdown] lang="en"
# ## 7. The distance matrix D
# `D[i, j]` is the distance of poster *i* and intro *j*.

# %% [markdown] lang="zh"
# ## 7. 距离矩阵 D
# `D[i, j]` 是海报 *i* 到简介 *j* 的距离。

# %%
poster = model.encode_poster_extracts(extracts.poster)
intro = model.encode_intro_extracts(extracts.intro)
D = 1 - poster @ intro.T
print("D:", D.shape, D.dtype)

# %%
held_out = catalogue.held_out_rows
own, others = D[held_out, held_out], D[held_out][:, held_out][~np.eye(len(held_out), dtype=bool)]
with drawing(spoken(LANGUAGE)):
    figure, axes = plt.subplots(figsize=(6, 2.2))
    for values, label, colour in ((others, "another intro", "#0072B2"), (own, "its own intro", "#D55E00")):
        axes.hist(values, bins=60, density=True, alpha=0.6, label=word(label), color=colour)
    axes.set(xlabel=word("distance of a held-out poster"), ylabel=word("density"))
    axes.legend()
    plt.show()

# %% [markdown] lang="en"
# ## 8. get_acc
# The assignment's function: sort each row (`dim=1`) or column (`dim=0`), and count how often the partner is among the
# nearest `int(ratio * N)`. Here it is as a plain loop, beside the library's. They can only differ where another item is exactly
# as near as the partner at the last place that counts (*tied*): a sort decides by position, the library counts it as a miss.

# %% [markdown] lang="zh"
# ## 8. get_acc
# 作业中的函数：对每一行（`dim=1`）或每一列（`dim=0`）排序，统计正确匹配项有多少次排在前 `int(ratio * N)` 个。下面先写成普通循环，
# 再与库中的函数比较。只有当另一项与匹配项的距离完全相等、且恰好处在最后一个有效名次时（*并列*），两者才会不同：排序按位置决定先后，
# 库中的函数则算作未命中。


# %%
def get_acc_by_loop(D, ratio=0.05, dim=1):
    rows = D if dim == 1 else D.T
    k = int(ratio * len(rows))
    return sum(i in np.argsort(row, kind="stable")[:k] for i, row in enumerate(rows)) / len(rows)


def tied_at_place_k(D, ratio=0.05, dim=1):
    rows, own, k = D if dim == 1 else D.T, np.diag(D)[:, None], int(ratio * len(D))
    return int((((rows < own).sum(axis=1) < k) & ((rows <= own).sum(axis=1) > k)).sum())


for dim in (1, 0):
    loop, ours, tied = get_acc_by_loop(D, dim=dim), get_acc(D, ratio=0.05, dim=dim), tied_at_place_k(D, dim=dim)
    say("dim={dim}: by loop {loop:.4f}, get_acc {ours:.4f}, tied {tied}", dim=dim, loop=loop, ours=ours, tied=tied)

# %%
accuracy = {"poster_to_intro": get_acc(D, ratio=0.05, dim=1), "intro_to_poster": get_acc(D, ratio=0.05, dim=0)}
say("poster to intro {poster_to_intro:.4f}, intro to poster {intro_to_poster:.4f}, all {n}", n=N, **accuracy)
saved = {direction: run.metrics[direction]["all"] for direction in accuracy}
say("as the run measured it: {poster_to_intro:.4f}, {intro_to_poster:.4f}", **saved)
if catalogue.report.assignment:
    say("course score: {score:.2f} of 15", score=course_score(*accuracy.values()))
    half = [get_acc(D, 0.5, dim) for dim in (1, 0)]
    say("(ratio=0.5, as in the assignment's test step: {first:.4f}, {second:.4f})", first=half[0], second=half[1])

# %% [markdown] lang="en"
# The same apart for train and held-out movies, each searching the whole gallery. *Train* shows how well the model
# remembers; *held-out* is what it does for a movie it has never seen. Intervals are bootstrap intervals over movies.

# %% [markdown] lang="zh"
# 再把训练电影与留出电影分开，每个查询都在整个候选集中查找。*train* 说明模型记住了多少；*held-out* 才是它面对从未见过的电影时的表现。
# 区间由对电影重复抽样得到。

# %%
metrics = evaluate_vectors(poster, intro, catalogue.ids, catalogue.train_rows, seed=recipe.seed)
accuracy_table(metrics, LANGUAGE)

# %% [markdown] lang="en"
# ## 9. Examples
# Held-out posters, and for each the five nearest intros of all N. They are not picked by hand: of all held-out posters in
# the order of their rank, these stand at 10 %, 50 % and 90 %.

# %% [markdown] lang="zh"
# ## 9. 例子
# 留出的海报，以及各自在全部 N 段简介中最近的五段。例子不是手选的：把所有留出海报按名次排列，取位于 10 %、50 % 和 90 % 处的三张。

# %%
ranks = retrieval_ranks(poster, intro, catalogue.ids, catalogue.ids)
by_rank = held_out[np.argsort(ranks[held_out], kind="stable")]
chosen = [by_rank[int(part * (len(by_rank) - 1))] for part in (0.1, 0.5, 0.9)]
poster_gallery(
    [catalogue.movies[row] for row in chosen],
    [f"{catalogue.movies[row].title}\n{word('own intro')}: {ranks[row]} / {N}" for row in chosen],
)

# %%
for row in chosen:
    print(f"{catalogue.movies[row].title}: {catalogue.intros[row]}")
    for place, found in enumerate(np.argsort(D[row], kind="stable")[:5], start=1):
        mark = f"<- {word('its own')} " if found == row else ""
        print(f"  {place}. D = {D[row, found]:.3f} {mark}{catalogue.intros[found]}")
    print()

# %% [markdown] lang="en"
# The other way round: your own sentence, and the posters nearest to it.

# %% [markdown] lang="zh"
# 反过来：写一句自己的话，看哪些海报离它最近。

# %%
sentence = "A detective hunts a murderer through the city at night."
if not catalogue.report.assignment:
    sentence = catalogue.intros[catalogue.held_out_rows[0]]  # put a sentence of your own here
query = model.encode_intros([sentence], store)
nearest = np.argsort(-(poster @ query[0]), kind="stable")[:6]
poster_gallery([catalogue.movies[row] for row in nearest], title=sentence)

# %% [markdown] lang="en"
# ## 10. The three questions
# `analyse` answers them with numbers, tables and figures, on held-out movies. Where the run has been analysed before, that is
# read back.

# %% [markdown] lang="zh"
# ## 10. 三个问题
# `analyse` 在留出电影上用数字、表格和图来回答。若这次运行已经分析过，就直接读回。

# %%
folder = run.folder / "analysis"
analysis = Analysis.load(folder) if folder.is_dir() else analyse(run, catalogue, store=store)
answers = Answers(analysis, catalogue.posters, spoken(LANGUAGE))

# %% [markdown] lang="en"
# ### Is poster content related to intro content?
# Are the true partners found more often than partners assigned at random? Then: accuracy beside chance as a growing part of
# the gallery counts as near, canonical correlations of the raw views, and what is left when one thing is taken away.

# %% [markdown] lang="zh"
# ### 海报内容与简介内容有关吗？
# 真实的配对是否比随机分配的配对更容易找到？接着是：top-p 准确率随 p 的变化与随机水平、原始视图的典型相关，以及各消融项的准确率。

# %%
pd.Series({word(key): value for key, value in answers.numbers("relation", "permutation").items()}, dtype=object)

# %%
answers.figure("relation-curve")

# %%
answers.figure("relation-cca")

# %%
answers.figure("relation-left")

# %%
answers.figure("relation-slices")

# %%
Markdown(answers.conclusion(run, "relation"))

# %% [markdown] lang="en" tags=["own-words"] question="relation"
# **My analysis** (write below this line what you conclude from these numbers, and why)

# %% [markdown] lang="zh" tags=["own-words"] question="relation"
# **我的分析**（在这一行下面写：你从这些数字得出什么结论，为什么）

# %% [markdown] lang="en"
# ### Do the nearest k share meaning, theme, style?
# What the nearest *k* of the other side share with a held-out movie, compared with movies drawn at random and with the nearest of its
# own side; then cases drawn by seed: good, typical and bad ones.

# %% [markdown] lang="zh"
# ### 最近的 k 个在语义、主题、风格上相似吗？
# 另一模态中最近的 *k* 个与留出电影共有什么，与随机抽取的电影、与同模态的近邻相比；然后是按种子抽取的例子：好、一般、差。

# %%
answers.figure("neighbours-lift")

# %%
answers.figure("gallery-poster-to-intro")

# %%
answers.figure("gallery-intro-to-poster")

# %%
Markdown(answers.conclusion(run, "neighbours"))

# %% [markdown] lang="en" tags=["own-words"] question="neighbours"
# **My analysis** (write below this line what you conclude from these numbers, and why)

# %% [markdown] lang="zh" tags=["own-words"] question="neighbours"
# **我的分析**（在这一行下面写：你从这些数字得出什么结论，为什么）

# %% [markdown] lang="en"
# ### What down-stream tasks do the aligned features serve?
# Every row was computed; `difference` is a paired difference to the method in `against`.

# %% [markdown] lang="zh"
# ### 对齐后的特征能服务哪些下游任务？
# 每一行都真正运行过；“差别”是与“对照”一列中的方法配对比较的差。

# %%
answers.figure("downstream")

# %%
columns = ["task", "measure", "method", "value", "low", "high", "n", "against", "difference value", "difference p"]
answers.table("downstream", columns)

# %%
answers.figure("clusters")

# %%
answers.figure("search")

# %%
Markdown(answers.conclusion(run, "downstream"))

# %% [markdown] lang="en" tags=["own-words"] question="downstream"
# **My analysis** (write below this line what you conclude from these numbers, and why)

# %% [markdown] lang="zh" tags=["own-words"] question="downstream"
# **我的分析**（在这一行下面写：你从这些数字得出什么结论，为什么）

# %% [markdown] lang="en"
# ### Why does this poster match this intro?
# Contributions of experts, words of the intro, lettering and parts of the poster, for a good and a bad case.

# %% [markdown] lang="zh"
# ### 为什么这张海报配这段简介？
# 各专家、简介的词、海报文字与画面各部分的贡献，一个好例子和一个差例子。

# %%
for found in answers.explained():
    display(answers.explanation(found))

# %% [markdown] lang="en"
# ## 11. How far to trust the results
# * *All* mixes remembered pairs with new ones, as the assignment's test does. For new movies read *held-out*.
# * `ratio` is 0.05 throughout; 0.5 only stands beside it because the assignment's test step names it.
# * Intervals say how much the result depends on which movies are tested, not on the seed of the training.
# * Posters and intros of the same movie can share the title's words. That is a real signal, and it says little about
#   pictures.

# %% [markdown] lang="zh"
# ## 11. 结果可信到什么程度
# * *all* 混合了记住的配对和新的配对，作业的测试就是这样；若关心新电影，请看 *held-out*。
# * 全文的 `ratio` 都是 0.05；0.5 只因作业的测试步骤写了它而列在旁边。
# * 区间说明结果多大程度上取决于问的是哪些电影，不反映训练种子的影响。
# * 同一部电影的海报与简介可能共有标题中的词。这是真实的信号，但它几乎不说明画面本身。
