"""Word lists: stand-in names, and words that are no names."""

# For people who did not consent; short, neutral, and no words one meets often.
PSEUDONYMS: tuple[str, ...] = tuple(
    """
    HERON OTTER LYNX BADGER MAGPIE STOAT WREN PLOVER MARTEN IBIS GANNET TAPIR CURLEW DORMOUSE AVOCET BITTERN
    CIVET DUNLIN ERMINE FULMAR GENET HOOPOE JACKDAW KESTREL LAPWING MERLIN NIGHTJAR ORIOLE PETREL QUAIL REDSTART
    SISKIN TEAL VOLE WAXWING YAFFLE ZANDER BRAMBLING CHOUGH DIPPER EIDER FIELDFARE GADWALL HARRIER IBEX JERBOA
    KNOT LINNET MALLARD NEWT OSPREY PIPIT ROOK SHRIKE TURNSTONE WHIMBREL WIGEON GREBE GODWIT OKAPI PANGOLIN
    QUOKKA SERVAL TENREC URIAL VICUNA WOMBAT YAPOK ZORILLA COATI DHOLE FOSSA GAUR HYRAX
    """.split()
)
COLOURS: tuple[str, ...] = tuple("GREY GREEN AMBER WHITE RUSSET BLACK GOLDEN BLUE SILVER BROWN".split())

# Words that also stand in display names; a text is not to lose its "first" because of a "First Citizen".
COMMON: frozenset[str] = frozenset(
    """
    a about after all also always an and any as at back be best big boy but by captain day dear doctor dad do
    down duke each early even every everyone everybody few first for friend from gentleman girl go good grandma
    grandpa great guy he head her here him his home house how i if in into is it its just king knight lady last
    late like little long lord love man many master me men messenger miss mom more most mother mum my never new
    next night no nobody not now nurse of off officer old on one only or other our out over own people page
    prince princess queen real red second see servant she shop sir sister sleepy small so soldier some somebody
    someone son summer sunny sun the their them then there they third this time to too two under up us very we
    well what when who why will winter with woman work year yes you young your monday tuesday wednesday thursday
    friday saturday sunday april may june august mark art bill rich grace hope joy rose jack max pat sue drew
    mr mrs ms dr prof sir herr frau the admin user account deleted unknown whatsapp telegram discord
    link photo video voice gif audio file sticker phone card key address mail iban
    der die das und ich nicht mit von zu el la los las de que y le les un une et il der den
    """.split()
)
