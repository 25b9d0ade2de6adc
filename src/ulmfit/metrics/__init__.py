"""Numbers in, numbers out: how good a classifier or a language model is."""

from ulmfit.metrics.calibration import expected_calibration_error as expected_calibration_error
from ulmfit.metrics.calibration import sets_calibration_error as sets_calibration_error
from ulmfit.metrics.classes import Z_95 as Z_95
from ulmfit.metrics.classes import Scores as Scores
from ulmfit.metrics.classes import accuracy as accuracy
from ulmfit.metrics.classes import confusion_matrix as confusion_matrix
from ulmfit.metrics.classes import log_loss as log_loss
from ulmfit.metrics.classes import macro_f1 as macro_f1
from ulmfit.metrics.classes import score as score
from ulmfit.metrics.classes import wilson_interval as wilson_interval
from ulmfit.metrics.coverage import Point as Point
from ulmfit.metrics.coverage import coverage_curve as coverage_curve
from ulmfit.metrics.language import bits_per_byte as bits_per_byte
from ulmfit.metrics.language import nats_per_token as nats_per_token
from ulmfit.metrics.language import word_perplexity as word_perplexity
from ulmfit.metrics.ranks import RankScores as RankScores
from ulmfit.metrics.ranks import mean_steps as mean_steps
from ulmfit.metrics.ranks import quadratic_kappa as quadratic_kappa
from ulmfit.metrics.ranks import score_ranks as score_ranks
from ulmfit.metrics.sets import LabelScores as LabelScores
from ulmfit.metrics.sets import SetScores as SetScores
from ulmfit.metrics.sets import micro_f1 as micro_f1
from ulmfit.metrics.sets import score_sets as score_sets
from ulmfit.metrics.values import ValueScores as ValueScores
from ulmfit.metrics.values import score_values as score_values
from ulmfit.metrics.values import spearman as spearman
