"""Where a person in distress is listened to, country by country: facts, each with the page on which it was read.

The rule of this table: an entry whose source nobody here has read is left out. Nothing is filled in from memory, from
another list, or from what everybody knows. `checked` is the day on which the source's text was read, by one of us, in
a copy that a search service keeps (an excerpt of the page, not the live page); `page_of` is the month that the copy
itself bears, where it bears one. Only facts are taken: a name, a number, hours. `hours` says so where the page gave
none, and is told in the reader's language, as a country's name is. So are the few words of ours in a name or a contact
("call or text", the language that is spoken there), which stand in a phrase; what an organisation calls itself, its
numbers and its addresses stay as they are. The source is the organisation's own page or a government's where such a
copy could be read, else a page that names the number plainly.

To add or renew an entry: read its page, write what it says, and the day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mesh.phrases import Phrase, Words, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisEntry:
    """One place to turn to: `contact` as one dials or types it, `source` the address of the page that was read."""

    name: Words
    contact: Words
    hours: str
    source: str
    checked: date
    page_of: str = ""  # year and month of the copy, "2023-07"; empty where it bears none


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country's name in English, and its entries."""

    name: str
    entries: tuple[CrisisEntry, ...]


_READ: Final = date(2026, 11, 23)
_DAY_AND_NIGHT: Final = "day and night"
_FREE: Final = "day and night; free"
_NO_HOURS: Final = "hours not given"


def _in_dutch(name: str) -> Phrase:
    return phrase("{name} (Dutch)", name=name)


def _in_english(name: str) -> Phrase:
    return phrase("{name} (English)", name=name)


def _in_finnish(name: str) -> Phrase:
    return phrase("{name} (Finnish)", name=name)


def _in_french(name: str) -> Phrase:
    return phrase("{name} (French)", name=name)


def _call_or_text(number: str) -> Phrase:
    return phrase("{number} (call or text)", number=number)


def _or_text(number: str, *, word: str, to: str) -> Phrase:
    return phrase("{number}, or text {word} to {short}", number=number, word=word, short=to)


COUNTRIES: Final[Mapping[str, Country]] = {
    "AT": Country(
        name="Austria",
        entries=(
            CrisisEntry(
                name="Telefonseelsorge",
                contact="142",
                hours=_FREE,
                source="https://www.katholisch.at/telefonseelsorge",
                checked=_READ,
            ),
        ),
    ),
    "AU": Country(
        name="Australia",
        entries=(
            CrisisEntry(
                name="Lifeline",
                contact="13 11 14",
                hours=_DAY_AND_NIGHT,
                source="https://lifelineh2h.org.au/get-help/telephone-crisis-support/faqs/",
                checked=_READ,
            ),
        ),
    ),
    "BE": Country(
        name="Belgium",
        entries=(
            CrisisEntry(
                name=_in_dutch("Zelfmoordlijn 1813"),
                contact="1813; www.zelfmoord1813.be",
                hours=_FREE,
                source="https://nieuws.vtm.be/binnenland/67758-nieuw-nummer-zelfmoordlijn1813",
                checked=_READ,
            ),
            CrisisEntry(
                name=_in_french("Centre de Prévention du Suicide"),
                contact="0800 32 123",
                hours=_FREE,
                source="https://www.lalibre.be/belgique/societe/2023/02/21/"
                "le-centre-de-prevention-du-suicide-est-confronte-a-une-hausse-du-nombre-dappels-"
                "A54EZGXFSJB3HNFT4ZSPCEPJ5I/",
                checked=_READ,
                page_of="2023-02",
            ),
        ),
    ),
    "BR": Country(
        name="Brazil",
        entries=(
            CrisisEntry(
                name="CVV, Centro de Valorização da Vida",
                contact="188",
                hours=_FREE,
                source="https://ufms.br/pb/ligacoes-para-prevencao-ao-suicidio-passam-a-ser-gratuitas-em-todo-pais/"
                "?lcp_pagelistcategorypostswidget-4=78",
                checked=_READ,
            ),
        ),
    ),
    "CA": Country(
        name="Canada",
        entries=(
            CrisisEntry(
                name="9-8-8: Suicide Crisis Helpline",
                contact=_call_or_text("9-8-8"),
                hours=_DAY_AND_NIGHT,
                source="https://cmhasaskatoon.ca/9-8-8/",
                checked=_READ,
                page_of="2023-12",
            ),
        ),
    ),
    "CH": Country(
        name="Switzerland",
        entries=(
            CrisisEntry(
                name="Die Dargebotene Hand",
                contact="143; www.143.ch",
                hours=_FREE,
                source="https://www.watson.ch/schweiz/gesellschaft-politik/"
                "668336611-beratungstelefon-dargebotene-hand-mit-mehr-anrufen-zum-thema-suizid",
                checked=_READ,
                page_of="2023-09",
            ),
        ),
    ),
    "DE": Country(
        name="Germany",
        entries=(
            CrisisEntry(
                name="TelefonSeelsorge",
                contact=phrase(
                    "{first}, {second} or {third}", first="0800 1110111", second="0800 1110222", third="116123"
                ),
                hours=_FREE,
                source="http://ansbach-evangelisch.de/jeder-braucht-mal-hilfe/",
                checked=_READ,
            ),
        ),
    ),
    "DK": Country(
        name="Denmark",
        entries=(
            CrisisEntry(
                name="Livslinien",
                contact="7020 1201",
                hours="11:00 to 19:00 when the page was written, in 2015",
                source="https://cphpost.dk/2015-10-26/news/suicide-prevention-lifeline-gets-funding-to-stay-open-at-night/",
                checked=_READ,
                page_of="2015-10",
            ),
        ),
    ),
    "ES": Country(
        name="Spain",
        entries=(
            CrisisEntry(
                name="Línea 024",
                contact="024",
                hours=_FREE,
                source="https://www.rtve.es/noticias/20220509/sanidad-presenta-telefono-prevencion-suicidio/"
                "2347183.shtml",
                checked=_READ,
                page_of="2022-05",
            ),
        ),
    ),
    "FI": Country(
        name="Finland",
        entries=(
            CrisisEntry(
                name=_in_finnish("MIELI Crisis Helpline"),
                contact="09 2525 0111",
                hours=_DAY_AND_NIGHT,
                source="https://mentalhealth.fi/where-to-go-in-an-emergency",
                checked=_READ,
            ),
            CrisisEntry(
                name=_in_english("MIELI Crisis Helpline"),
                contact="09 2525 0116",
                hours="Fridays 9:00 to 13:00",
                source="http://mieli.fi/helpline",
                checked=_READ,
            ),
        ),
    ),
    "FR": Country(
        name="France",
        entries=(
            CrisisEntry(
                name="3114, numéro national de prévention du suicide",
                contact="3114",
                hours=_FREE,
                source="https://www.mayotte.ars.sante.fr/3114-le-numero-national-de-prevention-du-suicide",
                checked=_READ,
            ),
        ),
    ),
    "GB": Country(
        name="United Kingdom",
        entries=(
            CrisisEntry(
                name="Samaritans",
                contact="116 123",
                hours=_FREE,
                source="https://samaritans.org/branches/coventry/coventry-branch-news/"
                "coventry-samaritans-will-be-open-usual-over-christmas",
                checked=_READ,
            ),
        ),
    ),
    "IE": Country(
        name="Ireland",
        entries=(
            CrisisEntry(
                name="Pieta",
                contact=_or_text("1800 247 247", word="HELP", to="51444"),
                hours=_DAY_AND_NIGHT,
                source="https://wicklownow.ie/news/wicklow-people-feeling-low-over-christmas-period-urged-to-contact-helpline/",
                checked=_READ,
                page_of="2021-06",
            ),
            CrisisEntry(
                name="Samaritans",
                contact="116 123",
                hours="free; hours not given",
                source="https://www.irishexaminer.com/breakingnews/ireland/samaritans-answer-29m-calls-since-2014-"
                "charity-to-play-crucial-role-in-new-mental-help-phone-service-914684.html",
                checked=_READ,
            ),
        ),
    ),
    "IN": Country(
        name="India",
        entries=(
            CrisisEntry(
                name="Tele MANAS",
                contact="14416",
                hours=_FREE,
                source="https://www.thehawk.in/news/health/"
                "tele-manas-mental-health-helpline-handles-over-238-lakh-calls-since-2022-prataprao-jadhav",
                checked=_READ,
                page_of="2025-07",
            ),
        ),
    ),
    "IT": Country(
        name="Italy",
        entries=(
            CrisisEntry(
                name="Telefono Amico Italia",
                contact="02 2327 2327; WhatsApp 324 011 7252",
                hours="10:00 to 24:00",
                source="https://www.tpi.it/news/solo-a-natale-telefono-amico-20211215850521/",
                checked=_READ,
                page_of="2021-12",
            ),
        ),
    ),
    "JP": Country(
        name="Japan",
        entries=(
            CrisisEntry(
                name="Yorisoi Hotline (よりそいホットライン)",
                contact="0120-279-338",
                hours=_DAY_AND_NIGHT,
                source="https://hagi-city.site.ktaiwork.jp/archives/8505",
                checked=_READ,
            ),
            CrisisEntry(
                name="Inochi no Denwa (いのちの電話)",
                contact="0120-783-556",
                hours="16:00 to 21:00; on the 10th of each month 8:00 to 8:00 of the next day",
                source="https://www.city.akiruno.tokyo.jp/0000015267.html",
                checked=_READ,
                page_of="2023-03",
            ),
        ),
    ),
    "MX": Country(
        name="Mexico",
        entries=(
            CrisisEntry(
                name="Línea de la Vida",
                contact="800 911 2000",
                hours=_FREE,
                source="https://www.eluniversal.com.mx/nacion/promueven-la-linea-de-la-vida-tras-presentar-encuesta-"
                "sobre-consumo-de-drogas-asi-puedes-pedir-ayuda/",
                checked=_READ,
                page_of="2025-12",
            ),
        ),
    ),
    "NL": Country(
        name="Netherlands",
        entries=(
            CrisisEntry(
                name="113 Zelfmoordpreventie",
                contact=phrase("{first} or {second}; {site}", first="113", second="0800-0113", site="113.nl"),
                hours=_DAY_AND_NIGHT,
                source="https://www.nu.nl/binnenland/6062813/"
                "hulplijn-113-nu-ook-rechtstreeks-bereikbaar-voor-zelfmoordpreventie.html?redirect=1",
                checked=_READ,
                page_of="2020-07",
            ),
        ),
    ),
    "NO": Country(
        name="Norway",
        entries=(
            CrisisEntry(
                name="Mental Helse",
                contact="116 123; sidetmedord.no",
                hours=_FREE,
                source="https://www.nrk.no/osloogviken/"
                "over-100-barn-under-ni-ar-har-tatt-kontakt-_-hjelpetelefoner-slar-alarm-1.15736352",
                checked=_READ,
                page_of="2021-11",
            ),
            CrisisEntry(
                name="Kirkens SOS",
                contact="22 40 00 40; soschat.no",
                hours=_DAY_AND_NIGHT,
                source="https://www.nrk.no/osloogviken/"
                "over-100-barn-under-ni-ar-har-tatt-kontakt-_-hjelpetelefoner-slar-alarm-1.15736352",
                checked=_READ,
                page_of="2021-11",
            ),
        ),
    ),
    "NZ": Country(
        name="New Zealand",
        entries=(
            CrisisEntry(
                name="1737, need to talk?",
                contact=_call_or_text("1737"),
                hours=_FREE,
                source="http://www.newshub.co.nz/home/health/2017/06/"
                "combined-text-and-call-helpline-to-assist-mental-health-crunch.html",
                checked=_READ,
                page_of="2017-06",
            ),
            CrisisEntry(
                name="Lifeline Aotearoa",
                contact=_or_text("0800 543 354", word="HELP", to="4357"),
                hours=_NO_HOURS,
                source="https://nzfamilies.org.nz/?p=1578",
                checked=_READ,
                page_of="2025-12",
            ),
        ),
    ),
    "PL": Country(
        name="Poland",
        entries=(
            CrisisEntry(
                name="Centrum Wsparcia dla Osób w Kryzysie Psychicznym",
                contact="800 70 2222",
                hours=_DAY_AND_NIGHT,
                source="https://zdrowie.pap.pl/psyche/telefon-800-70-2222-ratuje-zycie",
                checked=_READ,
            ),
        ),
    ),
    "PT": Country(
        name="Portugal",
        entries=(
            CrisisEntry(
                name="Linha Nacional de Prevenção do Suicídio",
                contact="1411",
                hours=_FREE,
                source="https://24noticias.sapo.pt/atualidade/artigos/"
                "1411-linha-nacional-de-prevencao-do-suicidio-arranca-com-atendimento-24-horas",
                checked=_READ,
                page_of="2025-09",
            ),
        ),
    ),
    "SE": Country(
        name="Sweden",
        entries=(
            CrisisEntry(
                name="Mind Självmordslinjen",
                contact="90101; mind.se",
                hours=_DAY_AND_NIGHT,
                source="http://www.kronprinsessparetsstiftelse.se/projekt/sjalvmordsupplysningen.html",
                checked=_READ,
            ),
        ),
    ),
    "SG": Country(
        name="Singapore",
        entries=(
            CrisisEntry(
                name="Samaritans of Singapore (SOS)",
                contact="1-767; WhatsApp 9151 1767",
                hours=_DAY_AND_NIGHT,
                source="https://mothership.sg/2022/09/sos-24h-whatsapp-service",
                checked=_READ,
                page_of="2022-09",
            ),
        ),
    ),
    "US": Country(
        name="United States",
        entries=(
            CrisisEntry(
                name="988 Suicide & Crisis Lifeline",
                contact=phrase("{number} (call or text); {site}", number="988", site="988lifeline.org"),
                hours=_FREE,
                source="https://health.wyo.gov/publichealth/prevention/wivpp/suicide-prevention/"
                "988-suicide-crisis-lifeline",
                checked=_READ,
            ),
        ),
    ),
    "ZA": Country(
        name="South Africa",
        entries=(
            CrisisEntry(
                name="SADAG, South African Depression and Anxiety Group",
                contact="0800 456 789; SMS 31393; WhatsApp 087 163 2030",
                hours="WhatsApp 8:00 to 17:00; for the others no hours are given",
                source="https://www.sabcnews.com/sabcnews/"
                "sadag-encourages-the-mentally-fatigued-to-reach-out-amid-world-suicide-prevention-day/",
                checked=_READ,
            ),
        ),
    ),
}

INTERNATIONAL: Final = (
    CrisisEntry(
        name="Find A Helpline",
        contact="findahelpline.com",
        hours="each helpline has its own",
        source="https://findahelpline.com/AU",
        checked=_READ,
    ),
    CrisisEntry(
        name="Befrienders Worldwide",
        contact="www.befrienders.org",
        hours=_NO_HOURS,
        source="https://www.befrienders.org/what-we-do",
        checked=_READ,
    ),
    CrisisEntry(
        name=phrase("Emergency services, EU"),
        contact="112",
        hours="free from any phone; hours not given",
        source="https://www2.hse.ie/emergencies/when-to-call-112-or-999/",
        checked=_READ,
    ),
)
