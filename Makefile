# crmkit: `make lab` opens the course, `make test` proves it. docs/install.md has the same steps without make.
PYTHON ?= python3
LAB  := .venv
TEST := .venv-test
BIN  := bin

.PHONY: lab test lessons bench lock clean

# An environment is ready when its stamp, which is written last, is newer than its lock. Without a stamp a set-up was
# broken off, and begins anew; with an old one only what changed is fetched. uv comes from the lock too, hashes checked;
# pip takes over where uv cannot reach the registry that pip is set up for.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
	  echo "crmkit needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2> /dev/null || echo not there)." >&2; \
	  echo "With another Python: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	  echo "$(PYTHON) lacks venv; on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Setting up $(1) from $(2) (the first time this downloads; about a minute) ..."
	@test -f $(1)/.ready && $(1)/$(BIN)/python -c '' 2> /dev/null || { rm -rf $(1) && $(PYTHON) -m venv $(1); }
	@rm -f $(1)/.ready
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' $(2) > $(1)/uv.lock
	@$(1)/$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1)/uv.lock
	@$(1)/$(BIN)/uv pip install --quiet --python $(1)/$(BIN)/python --require-hashes -r $(2) \
	  || $(1)/$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
	@$(1)/$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(1)/.ready
endef

$(LAB)/.ready: requirements.lock pyproject.toml
	$(call environment,$(LAB),requirements.lock)

$(TEST)/.ready: requirements-dev.lock pyproject.toml
	$(call environment,$(TEST),requirements-dev.lock)

lab: $(LAB)/.ready
	@$(LAB)/$(BIN)/crmkit lab

test: $(TEST)/.ready
	@$(TEST)/$(BIN)/python -m tests

lessons: $(TEST)/.ready
	@$(TEST)/$(BIN)/python -m crmkit.classroom.editions
	@$(TEST)/$(BIN)/python -m crmkit.classroom.course_plans

bench: $(TEST)/.ready
	@$(TEST)/$(BIN)/python -m benchmarks

# uv.lock and pylock.toml would record addresses; this format holds hashes and names no registry.
lock: $(TEST)/.ready
	$(TEST)/$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --extra build pyproject.toml -o requirements.lock
	$(TEST)/$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(LAB) $(TEST) build dist
