# Roompulse in a container: a worker, or any other command of `roompulse`.
#   docker build -t roompulse . && docker run --rm roompulse --help

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv /opt/roompulse \
    && /opt/roompulse/bin/pip install --no-deps --require-hashes --requirement requirements.lock
# The build backend comes by its hash from the developers' lock, without the rest of that.
RUN awk '/^setuptools==/ { found = 1 } found { print } found && !/\\$/ { exit }' \
        requirements-dev.lock > backend.lock \
    && pip install --no-deps --require-hashes --requirement backend.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY streams streams
COPY producers producers
COPY deploy deploy
COPY roompulse roompulse
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /opt/roompulse/bin/pip install --no-deps wheels/*.whl

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --home-dir /data roompulse \
    && install --directory --owner roompulse /data
COPY --from=build /opt/roompulse /opt/roompulse
ENV PATH=/opt/roompulse/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
EXPOSE 6067
ENTRYPOINT ["roompulse"]
CMD ["--help"]
