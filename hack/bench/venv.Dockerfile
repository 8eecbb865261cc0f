# What one would write by hand: a plain venv, made by the base's own Python, filled by pip and compiled.
# The wheels are those of the PEX that pexko built, so that each image holds the same.
ARG BASE
FROM $BASE AS build
ARG PYTHON
COPY app /app
RUN --mount=type=bind,source=app.pex,target=/app.pex PEX_ROOT=/tmp/pex PEX_TOOLS=1 $PYTHON /app.pex repository extract -f /wheels
RUN --mount=type=bind,source=tools,target=/tools $PYTHON -m venv --without-pip /venv \
 && /venv/bin/python /tools/pip.whl/pip install --no-index --no-deps --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile /wheels/*.whl
# Whole seconds: COPY rounds times, Python truncates them, and half of the bytecode would be stale in the image.
RUN find /venv /app -type f -exec touch -d @1700000000 {} + && $PYTHON -m compileall -q /venv/lib /app

FROM $BASE
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /app
