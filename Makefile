# The front door. `make` alone lists what it can do.
#
# Settings, each as NAME=value after the target:
#   PROFILE=quick|full|smoke   sizes of the runs (default quick)
#   RUNS=a,b                   these runs only
#   SEEDS=n                    another number of seeds a run
#   MIRROR=DIR                 a folder with prepared data sets
#   DATA=auto|real|stand-in    which images may be used (default auto)
#   SCHEDULER=tcp://host:port  a Dask cluster instead of this machine
#   FORCE=1                    run again what is up to date
#   OUT=DIR, DATA_DIR=DIR      where to write results, where to keep data
#   PYTHON=python3.12          the Python to start from
#   GPU=1                      train on an NVIDIA card: installs JAX with CUDA (Linux)

$(if $(filter command,$(origin RUN)),$(if $(filter predict,$(MAKECMDGOALS)),,$(error RUN=$(RUN): the setting is called RUNS)))
PROFILE ?= quick
RUNS ?=
# An unset one must stay unset: Keras, for one, reads an empty KERAS_BACKEND as a name.
$(foreach name,MIRROR DATA SCHEDULER FORCE OUT DATA_DIR SEEDS LIMIT RUNS_FILE NOTEBOOK,$(if $($(name)),$(eval export $(name))))
export TF_CPP_MIN_LOG_LEVEL ?= 2
export PYTHONUTF8 := 1
# Other package indexes of this machine must not decide what the lock installs.
unexport UV_INDEX_URL UV_EXTRA_INDEX_URL UV_DEFAULT_INDEX UV_INDEX PYTHONHOME
# This folder's own code comes first, whatever the environment was made for.
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

ENVIRONMENT := .venv
BIN := $(ENVIRONMENT)/bin
READY := $(ENVIRONMENT)/.ready$(if $(GPU),-gpu)
ifdef GPU
KERAS_BACKEND := jax
endif
$(if $(KERAS_BACKEND),$(eval export KERAS_BACKEND))

.DEFAULT_GOAL := help
.PHONY: help all data own predict report test test-faults test-all test-matrix bench bench-long lab clean lock
.DELETE_ON_ERROR:

help:
	@echo 'make all          run every notebook that is not up to date, then write the report'
	@echo 'make report       write the report again from the results that are there'
	@echo 'make lab          open the notebooks in JupyterLab'
	@echo 'make test         run the tests'
	@echo 'make test-all     run them and the fault suite: kills, full disks, damage, fuzzing; writes report/faults.md'
	@echo 'make test-matrix  run one of each notebook on every Python and every back end that this machine can have'
	@echo 'make bench        measure how fast it is, in about 25 minutes; ROWS=load,noop measures some rows'
	@echo 'make bench-long   the rows that take hours: trainings on real images, all smoke runs, the tests, an installation'
	@echo 'make predict      what a network makes of a photograph: RUN=mnist-second-v1 IMAGE=photo.jpg, JSON=1'
	@echo 'make data         a data set from a folder of pictures, one folder a class: NAME=photos FROM=DIR SIZE=64 FIT=pad'
	@echo 'make own          audit, four networks and a short report on it: NAME=photos'
	@echo 'make clean        remove what was built; data, the full edition and the environment stay'
	@echo 'make lock         pin the newest versions of all dependencies'
	@echo
	@echo 'Settings, such as PROFILE=full or MIRROR=DIR, stand at the top of the Makefile and in the README.'

all: $(READY)
	@status=0; $(BIN)/python -m grid --profile '$(PROFILE)' --runs '$(RUNS)' || status=$$?; \
	if [ $$status -lt 2 ]; then $(BIN)/python -m report --profile '$(PROFILE)' || status=$$?; fi; exit $$status

# What stands in quotation marks may hold spaces; a name may not, as the program says.
data: $(READY)
	@$(BIN)/python -m helpers.datasets '$(NAME)' '$(FROM)' --size '$(or $(SIZE),64)' --fit '$(or $(FIT),pad)'

own: HERE = $(or $(OUT),own/$(NAME))
own: $(READY)
	@test -d '$(or $(DATA_DIR),data)/$(NAME)' -a -n '$(NAME)' || { echo 'Error: make data NAME=$(or $(NAME),photos) FROM=DIR makes the set first.' >&2; exit 2; }
	@mkdir -p '$(HERE)'; test -e '$(HERE)/runs.yaml' || { sed 's/SET/$(NAME)/g' notebooks/own.yaml > '$(HERE)/.part' && mv '$(HERE)/.part' '$(HERE)/runs.yaml'; }
	@test -e '$(HERE)/report.ipynb' || { sed 's/SET/$(NAME)/g' report/own.ipynb > '$(HERE)/.part' && mv '$(HERE)/.part' '$(HERE)/report.ipynb'; }
	@$(MAKE) --no-print-directory all PROFILE='$(if $(filter file,$(origin PROFILE)),full,$(PROFILE))' OUT='$(HERE)' RUNS_FILE='$(HERE)/runs.yaml' NOTEBOOK='$(HERE)/report.ipynb'

predict: $(READY)
	@$(BIN)/python -m helpers.predict '$(RUN)' '$(IMAGE)' $(if $(filter 1,$(JSON)),--json)

report: $(READY)
	@$(BIN)/python -m report --profile '$(PROFILE)'

lab: $(READY)
	@$(BIN)/jupyter lab --config='$(CURDIR)/.ci/lab.py' --ServerApp.ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks/01_mlp_baseline.ipynb

# The tests of a file share what they have made, and stay together. The longest files hold few tests: not last.
# One process more than cores, four at most: tests of faults and of browsers wait.
TESTS = -m pytest --numprocesses=$(shell expr 1 + $$(getconf _NPROCESSORS_ONLN || echo 1)) --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

test: $(READY)
	@$(BIN)/python $(TESTS) -m 'not fault'

# The suite's folder and, of the tests of downloads and of the grid, those marked `fault`.
test-faults: $(READY)
	@$(BIN)/python $(TESTS) tests/faults tests/helpers/test_sources.py tests/grid --faults=report/faults.json

test-all: test test-faults

test-matrix: $(READY)
	@.ci/matrix

bench: $(READY)
	@$(BIN)/python -m benchmarks --rows '$(ROWS)'

bench-long: $(READY)
	@$(BIN)/python -m benchmarks --long --rows '$(ROWS)'

clean:
	@base='$(or $(OUT),.)'; data='$(or $(DATA_DIR),data)'; for edition in smoke quick lab; do \
	rm -rf "$$base/report/$$edition" "$$base/figures/$$edition" "$$data/trained/$$edition"; done; \
	rm -rf "$$base/report/full/notebooks" "$$base/report/full/.report.json"
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@rm -rf .pytest_cache *.egg-info
	@echo 'Removed the smoke, quick and lab editions and their networks. The full edition, downloaded data and .venv are kept.'

lock: $(READY)
	@$(BIN)/uv lock --upgrade --default-index https://pypi.org/simple

# A virtual environment, uv in it, and in that exactly what the lock names; made again where it is not, no longer, or
# no longer here. Bytecode is compiled once, not in every kernel.
$(READY): $(shell .ci/ready '$(ENVIRONMENT)' '$(if $(GPU),gpu)' || echo again)
	@.ci/environment '$(ENVIRONMENT)' '$(PYTHON)' '$(if $(GPU),gpu)'

.PHONY: again
again:
