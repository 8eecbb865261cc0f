"""An SQLite database in memory, filled from the package's data file."""

import json
from importlib.resources import files

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    quotations: Mapped[list["Quotation"]] = relationship(back_populates="author")


class Quotation(Base):
    __tablename__ = "quotation"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="quotations")


def open_database() -> sessionmaker[Session]:
    # One connection for all threads: a second one would see another, empty database.
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    authors = json.loads(files("api").joinpath("data/quotations.json").read_text(encoding="utf-8"))
    with sessions.begin() as session:
        for name, texts in authors.items():
            session.add(Author(name=name, quotations=[Quotation(text=text) for text in texts]))
    return sessions
