"""Months by their names."""

_MONTHS = {  # as they begin in the languages of apps that write them
    beginning: number
    for number, beginnings in enumerate(
        (
            "jan ene gen sty янв oca",
            "feb fév fev lut фев şub",
            "mar mär maa mrz мар",
            "apr avr abr kwi апр nis",
            "may mai mag mei maj май мая",
            "jun juin giu cze июн haz",
            "jul juil lug lip июл tem",
            "aug aoû ago sie авг ağu",
            "sep set wrz сен eyl",
            "oct okt ott out paź окт eki",
            "nov lis ноя kas",
            "dec dez dic déc gru дек ara",
        ),
        start=1,
    )
    for beginning in beginnings.split()
}


def month_of(name: str) -> int:
    """Return the number of the month that a word names; 0 if none."""
    word = name.casefold()
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3], 0)
