"""The HTTP interface."""

import platform
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api import __version__
from api.database import Author, Quotation, open_database


class About(BaseModel):
    version: str
    python: str
    machine: str
    quotations: int


class QuotationOut(BaseModel):
    id: int
    text: str
    author: str


app = FastAPI(title="Quotations", version=__version__)
sessions = open_database()


def session() -> Iterator[Session]:
    with sessions() as s:
        yield s


Database = Annotated[Session, Depends(session)]


def shown(quotation: Quotation) -> QuotationOut:
    return QuotationOut(id=quotation.id, text=quotation.text, author=quotation.author.name)


@app.get("/")
def about(database: Database) -> About:
    count = database.scalar(select(func.count()).select_from(Quotation)) or 0
    return About(version=__version__, python=platform.python_version(), machine=platform.machine(), quotations=count)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/quotations")
def quotations(database: Database, author: str | None = None) -> list[QuotationOut]:
    query = select(Quotation).join(Author).order_by(Quotation.id)
    if author is not None:
        query = query.where(Author.name == author)
    return [shown(quotation) for quotation in database.scalars(query)]


@app.get("/quotations/{number}")
def quotation(database: Database, number: int) -> QuotationOut:
    found = database.get(Quotation, number)
    if found is None:
        raise HTTPException(404, f"there is no quotation {number}")
    return shown(found)
