"""Word lists: stand-in names, given names that are also words, and words that are never names."""

# For people who did not consent; short, neutral, pleasant, nobody's given name, and no words one meets often.
PSEUDONYMS: tuple[str, ...] = tuple(
    """
    HERON OTTER LYNX PUFFIN MAGPIE SKYLARK WREN PLOVER MARTEN IBIS GANNET TOUCAN CURLEW CHIPMUNK AVOCET BITTERN
    LEMUR GOLDFINCH ERMINE FULMAR KINGFISHER HOOPOE JACKDAW KESTREL LAPWING MERLIN NIGHTJAR ORIOLE PETREL QUAIL REDSTART
    SISKIN TEAL NARWHAL WAXWING NIGHTINGALE CAPYBARA BRAMBLING MEERKAT DIPPER EIDER FIELDFARE MANATEE HARRIER IBEX JERBOA
    AXOLOTL LINNET MALLARD SEAHORSE OSPREY PIPIT FIREFLY LADYBIRD TURNSTONE GOLDCREST WIGEON CHAFFINCH GODWIT OKAPI PANGOLIN
    QUOKKA SERVAL WAGTAIL CARIBOU VICUNA WOMBAT BULLFINCH CHINCHILLA COATI COCKATOO GAZELLE STONECHAT HEDGEHOG
    """.split()
)
# Given until 0.9: corpora and exports of ours that have them keep them.
FORMER_PSEUDONYMS: tuple[str, ...] = tuple(
    """
    BADGER STOAT TAPIR DORMOUSE CIVET DUNLIN GENET VOLE YAFFLE ZANDER CHOUGH GADWALL KNOT NEWT ROOK SHRIKE WHIMBREL GREBE TENREC
    URIAL YAPOK ZORILLA DHOLE FOSSA GAUR HYRAX
    """.split()
)
COLOURS: tuple[str, ...] = tuple("GREY GREEN AMBER WHITE RUSSET BLACK GOLDEN BLUE SILVER BROWN".split())

# What friends read where a stand-in would stand, by language.
SOMEBODY: dict[str, str] = {
    "en": "somebody",
    "de": "jemand",
    "nl": "iemand",
    "fr": "quelqu'un",
    "es": "alguien",
    "it": "qualcuno",
    "pt": "alguém",
    "pl": "ktoś",
    "cs": "někdo",
    "sk": "niekto",
    "sv": "någon",
    "no": "noen",
    "da": "nogen",
    "fi": "joku",
    "ru": "кто-то",
    "uk": "хтось",
    "zh": "有人",
    "ja": "誰か",
    "ko": "누군가",
    "tr": "birisi",
    "el": "κάποιος",
    "he": "מישהו",
    "ar": "شخص ما",
    "ro": "cineva",
    "hu": "valaki",
}

# Given names that people also use as words, by language: a capital or an @ makes a name of them.
GIVEN_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            amber angel april art ash aspen august autumn basil bay bean bear beau bee berry bill birdie blossom
            blue brook buck bud buddy cash cat chance chase cherry chip chuck clay cliff colt coral crystal
            daisy dale dawn dean destiny dick don dot dove drew duke earl ebony ed eve faith fawn fay fern flint
            flora forest forrest fox frank gale gay gene ginger glen glory grace grant gray guy hall ham happy
            harmony haven hazel heath heather herb holly honor hope hunter iris ivy jack jade jewel joy june
            junior justice kit kitty lance lane laurel lily love lucky major marine mark max may melody mercy
            merry miles mo nick norm olive opal page paige pat patience pearl peg penny pepper pierce pip poppy
            prince prudence queenie rain raven ray red reed rex rich river rob robin rocky rod rose rosemary
            rowan royal ruby rue sage sandy scarlet scout shelly skip sky star sterling stew stone storm stormy
            sue summer sunny tab tad thorn tiger trace trinity trip violet ward west will willow winter wolf
            woody wren
        """,
        "de": "ernst heide mark rosa rose stern wolf wolke",
        "es": """
            alba belén blanca celeste clara concha consuelo cruz dolores domingo esperanza estrella flor gloria
            león linda luna luz mar mercedes milagros modesto nieves paloma paz perla pilar reina reyes rosa
            santos sol soledad victoria ángel ángeles
        """,
        "fr": """
            aimée anémone aurore blanche claire clémence constant désiré fleur franc france iris lune lys marine
            océane olive parfait prudence reine rose victoire violette
        """,
        "it": """
            alba aurora beata bianca celeste chiara clemente costanza felice fiore gioia gloria grazia libero
            linda luce luna mare marina marino massimo mina pace perla rosa serena sereno sole speranza stella
            vera viola
        """,
        "nl": "bas beer bloem floor mees roos sterre wil",
        "pl": "jagoda kalina lew malina pola roman róża",
        "pt": "clara estrela flor glória graça linda luz mar paz perla pilar reis rosa santos sol",
        "sv": "björn bo lilja liv per sten",
        "tr": """
            ada arda aslan ateş aydın aylin aşkın bahar barış bilge bulut can cem cesur damla deniz derin dilek
            duygu ege ekin emek emel engin erdem eren ferah gül güneş güven hayat huzur inci ipek kaya koray
            korkut kutlu mavi melek mert metin murat mutlu nehir neşe nur olcay onur ozan pınar rüya savaş sefa
            selvi sevda sevgi su tan tuna ufuk umut utku uğur yaz yağmur yeter yıldız zafer çiçek çınar özgür
            özlem ümit ünal ışık şafak
        """,
        "ru": """
            вера виктор воля заря злата лев лилия любовь майя марк мир надежда нина рада роза роман свет света
            слава
        """,
        "uk": "воля віра злата лев любов лілія мир надія роза роман слава",
    }.items()
}

# Given names and short forms that mean nothing else where they are spoken, however often they are said there: most are in no
# list of Faker's, or so much at home in one language that their frequency is that of a word.
NOTHING_BUT_NAMES: frozenset[str] = frozenset(
    """
    kasia gosia zosia basia ania marta magda ola zuzia asieńka beata bożena dorota ewelina grażyna iwona jadwiga kinga
    agnieszka małgorzata katarzyna tomek piotrek marek łukasz paweł piotr krzysztof krzysiek andrzej tomasz jacek marcin
    grzegorz wojtek wojciech mateusz maciek maciej bartek bartosz michał rafał mariusz staszek jurek szymon przemek
    ayşe ayşegül fatma hatice zeynep elif emine meryem büşra esra nilay gülşen hülya nurcan sibel ebru şule tuğba
    mehmet mustafa ahmet hüseyin hasan ibrahim yusuf emre burak furkan oğuz serkan volkan kerem tolga gökhan hakan
    jirka honza pavla lenka zdeněk zdenka jarmila vlasta mirek jiří tomáš václav petra ondra ondřej kuba matěj vojta
    zsófi zsófia katalin kati zsuzsa erzsi laci lászló jancsi pisti istván ferenc zoltán tamás gábor gyuri györgy balázs
    саша маша даша паша лёша леша серёжа сережа катя таня наташа оля юля дима миша гриша женя вова володя коля ваня
    сергей дмитрий андрей алексей александр николай михаил ольга елена татьяна наталья ирина екатерина
    сергій андрій дмитро олександр іван михайло олена тетяна наталія оксана ірина тарас богдан
    γιώργος γιάννης νίκος κώστας δημήτρης παναγιώτης βασίλης μαρία ελένη κατερίνα ιωάννα χριστίνα
    mihai ioana andreea gheorghe nicolae alexandru ștefan mircea
    pekka matti antti mikko juha jukka heikki teemu lauri hannu tuomas seppo markku eero
    joost femke sanne maaike marieke jeroen wouter thijs sjoerd pieter annemiek
    """.split()
)

# Written with a capital whatever they mean.
ALWAYS_CAPITAL: frozenset[str] = frozenset(
    """
    january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday easter christmas god english french german spanish i
    """.split()
)

# What apps write themselves, in placeholders or where nobody's name is known.
NEVER_NAMES: frozenset[str] = frozenset(
    """
    me you admin user account deleted unknown someone somebody whatsapp telegram discord signal messenger slackbot
    link photo video voice gif audio file sticker phone card key address mail iban ip e-mail
    """.split()
)

# Between the words of a name, not names themselves.
PARTICLES: frozenset[str] = frozenset(
    "van von vom zu zur de der den het ten ter te la las los le les el al da das do dos di du del della bin ibn ben abu y e i "
    "und and of the af av mac mc st san".split()
)
