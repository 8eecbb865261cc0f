# pex's own recipe for containers (docs.pex-tool.org, "PEX app in a container"), and whole seconds; see venv.Dockerfile.
ARG BASE
FROM $BASE AS deps
ARG PYTHON
COPY app.pex /
RUN PEX_TOOLS=1 $PYTHON /app.pex venv --scope=deps --compile /app
RUN find /app -type f -exec touch -d @1700000000 {} + && $PYTHON -m compileall -q -f /app

FROM $BASE AS srcs
ARG PYTHON
COPY app.pex /
RUN PEX_TOOLS=1 $PYTHON /app.pex venv --scope=srcs --compile /app
RUN find /app -type f -exec touch -d @1700000000 {} + && $PYTHON -m compileall -q -f /app

FROM $BASE
COPY --from=deps /app /app
COPY --from=srcs /app /app
ENTRYPOINT ["/app/pex"]
