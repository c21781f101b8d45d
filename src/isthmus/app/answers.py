"""What a request is answered when it cannot be done: JSON that says what came, what was expected and what to do."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from isthmus.app.refusal import Refusal
from isthmus.errors import IsthmusError

__all__ = ["add_answers"]

log = logging.getLogger("isthmus.app")


def add_answers(app: FastAPI) -> None:
    """Every error leaves the application in one form: `{"error": {"what": ..., "expected": ..., "do": ...}}`."""

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> JSONResponse:
        return JSONResponse(error.body(), error.status)

    @app.exception_handler(IsthmusError)
    async def known(_request: Request, error: IsthmusError) -> JSONResponse:
        return JSONResponse(Refusal(str(error), status=422).body(), 422)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(Refusal(_first_fault(error), "the fields this address takes", status=422).body(), 422)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(Refusal(str(error.detail), status=error.status_code).body(), error.status_code)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        what = f"unexpected {type(error).__name__}: {error}"
        do = "this is a fault of Isthmus; please report it with the lines printed where `isthmus app` runs"
        return JSONResponse(Refusal(what, do=do, status=500).body(), 500)


def _first_fault(error: RequestValidationError) -> str:
    faults: list[Any] = list(error.errors())
    where = ".".join(str(part) for part in faults[0]["loc"])
    return f"{where}: {faults[0]['msg']}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
