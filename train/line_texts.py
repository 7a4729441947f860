"""Training texts for train_lines.py: like those on cards, and random ones.

Names and words are common Indonesian ones; names of regions come from the
project's table.  A large part is random, so that the network learns shapes
rather than words.
"""

import random

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
VOWELS = "AIUEO"

NAMES = """
ABDUL ABDULLAH ABIDIN ACHMAD ADE ADI ADITYA AFIFAH AGNES AGUNG AGUS AHMAD AINI
AISYAH AJENG AKBAR ALAMSYAH ALFIAN ALI ALIF ALIYAH AMALIA AMELIA AMIN AMINAH
AMIR AMIRUDDIN ANA ANDI ANDIKA ANDREAS ANDRI ANGGA ANGGRAINI ANI ANISA ANITA
ANTON ANTONIUS ANWAR APRILIA ARDI ARDIANSYAH ARI ARIEF ARIF ARIFIN ARINI ARIS
ARMAN ARUM ASEP ASIH ASRI ASTUTI ASTRID ATIKAH AULIA AYU AYUNINGTYAS AZIZ
AZIZAH BADRUDIN BAGAS BAGUS BAHAR BAHRI BAMBANG BASUKI BAYU BENNY BERLIANA
BERNADETTA BIMA BOBBY BONAR BUDI BUDIARTO BUDIMAN BUDIONO BURHANUDDIN BUTARBUTAR
CAHYA CAHYADI CAHYANI CAHYO CANDRA CATUR CHAIRUL CHANDRA CHRISTIAN CHRISTINA
CICI CINDY CITRA CORNELIA DADANG DAHLIA DANANG DANI DANIEL DARMAWAN DARSONO
DAVID DEDE DEDI DENI DENNY DESI DESY DEVI DEWA DEWI DHARMA DIAH DIAN DIANA DIDIK
DIMAS DINA DINI DIPONEGORO DJOKO DODI DONI DWI DYAH EDI EDWIN EDY EFENDI EKA EKO
ELFRIDA ELI ELISABETH ELLY ELVIRA EMA EMILIA ENDAH ENDANG ENI ERIK ERLANGGA
ERLINA ERNA ERNAWATI ERWIN ESTER EVA EVI FADHILAH FADLI FAHMI FAHRI FAISAL
FAJAR FARHAN FARIDA FATIMAH FATMAWATI FAUZAN FAUZI FEBRI FEBRIANA FERDIAN
FERRY FIRDAUS FIRMAN FIRMANSYAH FITRI FITRIA FITRIANI FRANSISKA FRANSISKUS
GALIH GALUH GANI GILANG GINTING GITA GREGORIUS GUNADI GUNAWAN GUNTUR GUSTI
HABIB HADI HAFIZ HAIRUDDIN HAKIM HALIM HALIMAH HAMDAN HAMID HAMZAH HANDAYANI
HANDOKO HANI HANIFAH HARAHAP HARDI HARIS HARIYANTO HARJONO HARTATI HARTINI
HARTONO HARUN HARYANTO HARYATI HASAN HASANAH HASANUDDIN HASIBUAN HASIM HENDRA
HENDRAWAN HENDRI HENDRO HENI HENNY HERI HERLINA HERMAN HERMAWAN HERU HESTI
HIDAYAH HIDAYAT HIDAYATI HIDAYATULLAH HUSEIN HUSNA HUTABARAT HUTAGALUNG I IBNU
IBRAHIM IDA IDRIS IKA IKHSAN ILHAM IMAM IMRAN INA INDAH INDARTI INDRA INDRAWAN
INDRIANI INTAN IQBAL IRA IRAWAN IRAWATI IRFAN IRMA IRMAWATI ISKANDAR ISMAIL
ISNAINI ISTIQOMAH IVAN IWAN IYAN JAELANI JAJANG JAKA JAMAL JAMALUDDIN JAMILAH
JANUAR JASMIN JAYA JAYADI JEFRI JOHAN JOHANES JOKO JONATHAN JOSEPH JUANDA JULIA
JULIANA JULIANTI JUMADI JUNAEDI JUNAIDI JUNIARTI JUWITA KADEK KARIM KARINA
KARTIKA KARTINI KASIH KAUTSAR KETUT KHAIRUL KHAIRUNNISA KHAMIM KHOIRUL KHOIRIYAH
KOMALASARI KOMANG KRISNA KRISTANTO KURNIA KURNIASIH KURNIAWAN KURNIAWATI
KUSNADI KUSTINI KUSUMA KUSUMAWATI LAELA LAILA LAKSMI LATIFAH LEO LESTARI LIA
LIDYA LILIK LILIS LINA LINDA LISA LISNAWATI LUBIS LUCIA LUKMAN LUSI LUTFI MADE
MAHARANI MAHENDRA MAHFUD MAHMUD MAHMUDAH MAIMUNAH MALIK MANALU MANSUR MARDIANA
MARGARETHA MARIA MARIANA MARLINA MARSINI MARTINI MARTINUS MARYAM MARYANI
MARYATI MASITOH MAULANA MAULIDA MAYA MEGA MEGAWATI MEI MELATI MELINDA MERI
MEUTIA MIA MIFTAHUL MILA MINARTI MIRA MIRNA MOCHAMAD MOHAMAD MOHAMMAD MUALIM
MUCHLIS MUHAMAD MUHAMMAD MUHIDIN MUJIATI MUJIONO MULIA MULYADI MULYANA MULYANI
MULYATI MULYONO MUNAWAROH MURNI MURNIATI MURSID MURTINI MUSA MUSLIM MUSTAFA
MUSTIKA MUTIA MUTIARA NABILA NADIA NAFISAH NAINGGOLAN NANA NANANG NANDA NANI
NAOMI NASIR NASRULLAH NASUTION NATALIA NAUFAL NENENG NENGAH NI NIA NINGRUM
NINGSIH NISA NOOR NOPITA NOVA NOVI NOVIANTI NOVITA NOVITASARI NUGRAHA NUGROHO
NUR NURAENI NURAINI NURDIN NURHALIMAH NURHASANAH NURHAYATI NURJANAH NURLAELA
NURLELA NURMALA NURUL NURYADI NYOMAN OKTAVIA OKTAVIANI OKTAVIANUS OSCAR PANCA
PANDU PANGARIBUAN PARDEDE PARLINDUNGAN PARMIN PATRICIA PAULUS PERMANA PERMATA
PERTIWI PETRUS PONIRAN POERNOMO PRABOWO PRADANA PRADIPTA PRAMONO PRASETIA
PRASETYA PRASETYO PRASTIWI PRATAMA PRATIWI PRAYITNO PRAYOGA PRIHATIN PRIYANTO
PRIYONO PUJI PUJIASTUTI PUJIONO PURBA PURNAMA PURNAMASARI PURNOMO PURWANTI
PURWANTO PUSPITA PUSPITASARI PUTRA PUTRI PUTU QODIR QORI QURROTA RACHMAN RACHMAT
RADEN RAFI RAHARJO RAHAYU RAHMA RAHMAN RAHMAT RAHMAWATI RAIHAN RAMADHAN
RAMADHANI RAMLAN RAMLI RANGGA RANI RATIH RATNA RATNASARI RATNAWATI REFI REGINA
REKA RENDI RENI RESTI RESTU RETNO REZA RHEZA RIA RIANA RIANI RIBKA RICKY RIDWAN
RIFQI RIKA RINA RINDA RINI RIRIN RISKA RISMA RITA RITONGA RIYADI RIYANTI RIYANTO
RIZAL RIZKA RIZKI RIZKY ROBERTUS ROBI ROHANA ROHANI ROHMAH ROHMAN ROKHIM ROMLAH
RONI ROSA ROSALIA ROSDIANA ROSIDAH ROSIDI ROSITA ROSMAWATI RUDI RUDIYANTO
RUKMANA RUSDI RUSLAN RUSMIATI RUSTAM SABAR SADIKIN SAEFUL SAFITRI SAHRUL SAID
SAIFUL SALAMAH SALIM SALMA SALSABILA SAMOSIR SAMSUDIN SAMSUL SAMUEL SANTI
SANTIKA SANTOSO SAPUTRA SAPUTRI SARAGIH SARAH SARI SARINAH SARTIKA SARWONO
SATRIA SATRIO SEKAR SELVI SEPTIAN SEPTIANA SETIADI SETIAWAN SETIAWATI SETIYONO
SETYANINGSIH SETYAWAN SETYO SHINTA SIAHAAN SIANTURI SIDIK SIGIT SIHOMBING
SILALAHI SILVIA SIMANJUNTAK SIMBOLON SINAGA SINTA SIREGAR SISKA SISWANTO
SISWOYO SITI SITORUS SITUMORANG SLAMET SOBIRIN SOFYAN SOLEH SOLEHUDIN SOLIHAH
SOPIAN SRI STEFANUS SUBAGYO SUBEKTI SUBHAN SUBROTO SUCI SUDARMAN SUDARMI
SUDARSONO SUDARYANTO SUDIBYO SUDIRMAN SUDRAJAT SUGENG SUGIANTO SUGIARTO SUGIONO
SUGITO SUHADA SUHAEMI SUHARDI SUHARTI SUHARTO SUHARTONO SUHENDAR SUHENDRA
SUHERMAN SUHERI SUJARWO SUJATMIKO SUKAMTO SUKARDI SUKARNO SUKARTI SUKMA
SUKMAWATI SULAIMAN SULASTRI SULISTIAWATI SULISTIYO SULISTYOWATI SUMARDI SUMARNI
SUMARSONO SUMARTINI SUMIATI SUMIYATI SUNARDI SUNARSIH SUNARTI SUNARTO SUNARYO
SUPARDI SUPARMAN SUPARNO SUPARTI SUPRAPTO SUPRATMAN SUPRIADI SUPRIYADI
SUPRIYANTO SUPRIYATI SURATMAN SURATNO SURONO SURYA SURYADI SURYANA SURYANI
SURYANINGSIH SURYANTO SURYATI SUSAN SUSANTI SUSANTO SUSI SUSILAWATI SUSILO
SUTARDI SUTARNO SUTEJO SUTIKNO SUTINI SUTISNA SUTOMO SUTRIANI SUTRISNO SUWANDI
SUWARNI SUWARNO SUWITO SUYANTI SUYANTO SUYONO SYAFII SYAFRUDDIN SYAHPUTRA
SYAHRIAL SYAHRUL SYAIFUL SYAMSIAH SYAMSUDDIN SYARIF SYARIFAH TAMBUNAN TANJUNG
TANTI TARIGAN TATANG TAUFIK TAUFIQ TEDDY TEDJO TEGUH TETI THERESIA THOMAS TIARA
TIKA TINA TITIK TITIN TOMI TONI TRI TRISNAWATI TRIYANTO TRIYONO TUGIMAN TUKIMAN
TUTI TUTIK UCOK UDIN UJANG UMAR UMI UNTUNG USMAN UTAMA UTAMI UTOMO VALENTINA
VERA VERONIKA VICTOR VINA VINCENTIUS VIRGINIA VIVI WAHID WAHYONO WAHYU WAHYUDI
WAHYUNI WAHYUNINGSIH WALUYO WARDANI WARDHANA WARSITO WARTINI WASITO WATI WAWAN
WAYAN WIBISONO WIBOWO WICAKSONO WIDIA WIDIASTUTI WIDODO WIDYA WIDYANINGRUM WIJAYA
WIJAYANTI WILDAN WILLIAM WINARNI WINARTI WINARTO WINATA WIRANATA WIRAWAN WIWIK
WULAN WULANDARI XAVERIUS YANA YANI YANTI YANTO YASIN YATI YAYAN YAYUK YOGA YOGI
YOHANA YOHANES YOLANDA YOPI YOSEF YUDHA YUDI YULI YULIA YULIANA YULIANI YULIANTI
YULIANTO YULIASTUTI YUNI YUNIARTI YUNITA YUNUS YUSRIL YUSUF YUYUN ZAENAL ZAHRA
ZAINAB ZAINAL ZAINUDDIN ZAKARIA ZAKI ZALDI ZUBAIDAH ZUHRI ZULAIKHA ZULFA
ZULFIKAR ZULKARNAIN ZULKIFLI
""".split()

THIN = ["SI", "TI", "LI", "RI", "FI", "TRI", "IT", "IY", "YI", "LIL", "TIT", "ILI",
        "ITI", "FIT", "LT", "TL", "TY", "LIT", "RIT", "KI", "NI", "HI", "MI", "AI",
        "TA", "LA", "YA", "LY", "IJ", "JI", "PI", "IF", "IL", "RT", "TT", "II"]
THIN_NAMES = """
SITI TITI TITIN TITIK TITIS FITRI FITRIA FITRIYA LILI LILIS LILIK ITI IIT IIS LIA
LITA LIYA TITA TIA TIYAH TRI TATI YATI YETI YITNO LATIF LATIFAH ALIT ILTI RITA RITI
RIRI RIRIT RISTI TILI JITI JIHAN FIFI FITA HITI ATIT ATIK ITA ITANG TUTI TUTIT
MIMI MIMIT INTIM SALIM KARIM HALIM HAKIM RUM LIM TJIE LIE KITTY BETTY YULITA
""".split()

TITLES = ["H.", "HJ.", "DRS.", "DRA.", "DR.", "IR.", "R.", "TB.", "A.", "M.",
          "MUH.", "MOH.", "ST.", "KH.", "NY.", "S.", "I"]
DEGREES = ["S.H.", "S.E.", "S.PD", "S.KOM", "S.T.", "M.M.", "S.SOS", "SE", "SH",
           "S.PD.I", "M.SI", "A.MD", "S.KED", "S.AG", "MBA", "PH.D", "S.PD.",
           "M.PD", "ST", "S.IP", "AMD.KEB"]

STREETS = """
MERDEKA SUDIRMAN DIPONEGORO GAJAH MADA HAYAM WURUK AHMAD YANI GATOT SUBROTO
VETERAN PAHLAWAN KARTINI IMAM BONJOL PATTIMURA TEUKU UMAR HASANUDDIN MAWAR
MELATI ANGGREK KENANGA CEMPAKA DAHLIA FLAMBOYAN TERATAI BOUGENVILLE SERUNI
KEMUNING ASOKA RAMBUTAN MANGGA DURIAN NANGKA SAWO JAMBU BELIMBING SIRSAK KELAPA
PISANG APEL ANGGUR JERUK SALAK PINUS CEMARA MAHONI AKASIA BERINGIN JATI ELANG
MERPATI KUTILANG GARUDA RAJAWALI CENDRAWASIH KENARI CAMAR KAKATUA MERAPI BROMO
SEMERU KRAKATAU RINJANI KERINCI LAWU SLAMET SINDORO DIENG MAHAKAM MUSI KAPUAS
BARITO CILIWUNG CITARUM BRANTAS SERAYU PROGO MENTENG SENOPATI PROKLAMASI KEMANG
TEBET CIKINI WAHIDIN SUTOMO SUPRAPTO HARYONO PANJAITAN YOS SUDARSO ADI SUCIPTO
PEMUDA PELAJAR KEBANGSAAN PEMBANGUNAN PERINTIS KEMERDEKAAN SILIWANGI PAJAJARAN
MAJAPAHIT SRIWIJAYA MATARAM KERTAJAYA DHARMAWANGSA AIRLANGGA BRAWIJAYA TANJUNG
SARI SUKA MAJU KARYA BAKTI GOTONG ROYONG SEJAHTERA MAKMUR SENTOSA BAHAGIA
HARAPAN BARU LAMA TIMUR BARAT UTARA SELATAN TENGAH DALAM LUAR ATAS BAWAH BESAR
KECIL INDAH PERMAI ASRI HIJAU LESTARI JAYA ABADI MULIA AGUNG RAYA UTAMA KENCANA
MUTIARA PERMATA INTAN BERLIAN SAFIR MIRAH DELIMA KOTA DESA PASAR SAWAH KEBON
KALI RAWA GUNUNG BUKIT PANTAI MUARA SUNGAI DANAU TELAGA SUMBER AIR WARINGIN
PONDOK GEDE BAMBU RANGGON CIPUTAT BINTARO SERPONG DAAN MOGOT FATMAWATI PASEH
KOPO BUAH BATU SOEKARNO HATTA SETIABUDI DAGO CIHAMPELAS MALIOBORO KALIURANG
MAGELANG SOLO PANGERAN ANTASARI SULTAN AGUNG HASAN BASRI TRIKORA DWIKORA LINTAS
""".split()

WAYS = ["JL.", "JL", "JLN", "JLN.", "JALAN", "GG.", "GG", "GANG", "KP.", "KP",
        "KAMPUNG", "DUSUN", "DSN", "DSN.", "DS.", "LINGK.", "LINGKUNGAN", "LK.",
        "PERUM", "PERUMAHAN", "PERUMNAS", "KOMPLEK", "KOMP.", "KOMP", "ASRAMA",
        "BTN", "GRIYA", "TAMAN", "VILLA", "PURI", "BUMI", "DUKUH", "BR.",
        "BANJAR", "JORONG", "RUSUN", "APARTEMEN", "PONDOK", "LORONG", "LR."]
TAILS = ["TIMUR", "BARAT", "UTARA", "SELATAN", "RAYA", "INDAH", "PERMAI", "BARU",
         "DALAM", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X",
         "KM", "KM.", "ATAS", "BAWAH", "ASRI", "LESTARI", "LAMA", "TENGAH"]

LABELS = ["Nama", "Tempat/Tgl Lahir", "Jenis Kelamin", "Jenis kelamin",
          "Alamat", "RT/RW", "Kel/Desa", "Kecamatan", "Agama",
          "Status Perkawinan", "Pekerjaan", "Kewarganegaraan", "Berlaku Hingga",
          "Gol. Darah", "Gol. Darah :", "NIK", "Tempat/Tgl. Lahir", "No. RT/RW",
          "Nama :", "Alamat :", "Agama :"]

WORDS = ["LAKI-LAKI", "PEREMPUAN", "ISLAM", "KRISTEN", "KATHOLIK", "KATOLIK",
         "HINDU", "BUDHA", "BUDDHA", "KHONGHUCU", "KONGHUCU", "BELUM KAWIN",
         "KAWIN", "CERAI HIDUP", "CERAI MATI", "KAWIN TERCATAT", "WNI", "WNA",
         "SEUMUR HIDUP", "BELUM/TIDAK BEKERJA", "MENGURUS RUMAH TANGGA",
         "PELAJAR/MAHASISWA", "PENSIUNAN", "PEGAWAI NEGERI SIPIL",
         "PEGAWAI NEGERI SIPIL (PNS)", "TENTARA NASIONAL INDONESIA (TNI)",
         "KEPOLISIAN RI (POLRI)", "PERDAGANGAN", "PETANI/PEKEBUN", "PETERNAK",
         "NELAYAN/PERIKANAN", "INDUSTRI", "KONSTRUKSI", "TRANSPORTASI",
         "KARYAWAN SWASTA", "KARYAWAN BUMN", "KARYAWAN HONORER",
         "BURUH HARIAN LEPAS", "BURUH TANI/PERKEBUNAN", "TUKANG KAYU",
         "TUKANG BATU", "TUKANG LAS/PANDAI BESI", "TUKANG JAHIT",
         "PEMBANTU RUMAH TANGGA", "MEKANIK", "SENIMAN", "PENDETA", "WARTAWAN",
         "USTADZ/MUBALIGH", "DOSEN", "GURU", "PILOT", "PENGACARA", "NOTARIS",
         "ARSITEK", "AKUNTAN", "KONSULTAN", "DOKTER", "BIDAN", "PERAWAT",
         "APOTEKER", "PSIKIATER/PSIKOLOG", "PELAUT", "PENELITI", "SOPIR",
         "PEDAGANG", "PERANGKAT DESA", "KEPALA DESA", "WIRASWASTA", "LAINNYA",
         "A", "B", "AB", "O", "A+", "B-", "O+", "AB-", "-"]


def pick(seq):
    return seq[int(random.random() * len(seq))]


def digits(n):
    return "".join(pick("0123456789") for _ in range(n))


WIDE = [w for w in NAMES + STREETS + WORDS if "W" in w]


class Texts:
    """Generates texts; regions: names of the table, in upper case."""

    def __init__(self, table):
        self.regions = []
        self.upper = []
        with open(table, encoding="utf-8") as f:
            for line in f:
                code, name = line.rstrip("\n").split("\t")[:2]
                name = " ".join(name.upper().replace("\\", "").split())
                if name and all(32 <= ord(c) < 127 for c in name):
                    (self.upper if code.count(".") < 2
                     else self.regions).append(name)

        self.makers = [
            (14, self.name), (20, self.address), (9, self.region),
            (8, self.upper_region), (6, self.birth), (6, self.rt_rw),
            (7, self.word), (6, self.label), (4, self.date),
            (12, self.syllables), (14, self.mess), (4, self.number),
            (2, self.blood), (6, self.narrow), (4, self.titled),
            (2, self.thin), (3, self.short), (4, self.wide),
            (6, self.marked),
        ]
        self.sum = sum(w for w, _ in self.makers)

    def make(self):
        at = random.random() * self.sum
        for w, maker in self.makers:
            at -= w
            if at < 0:
                break
        # W of some print looks like VV, which no name has
        return " ".join(maker().split()).replace("VV", "W")

    def name(self):
        n = pick([1, 2, 2, 2, 3, 3, 4])
        words = [pick(NAMES) if random.random() < .75 else self.syllable_word()
                 for _ in range(n)]
        if random.random() < .12:
            words.insert(0, pick(TITLES))
        if random.random() < .1:
            words.insert(n // 2 + 1, pick(LETTERS) + pick([".", ""]))
        if random.random() < .08:
            i = int(random.random() * len(words))
            words[i] = words[i][:2] + "'" + words[i][2:]
        s = " ".join(words)
        if random.random() < .1:
            s += pick([", ", " ", ","]) + pick(DEGREES)
            if random.random() < .3:
                s += pick([", ", ","]) + pick(DEGREES)
        return s

    def syllable_word(self):
        s = ""
        for _ in range(pick([1, 2, 2, 3, 3, 4])):
            s += pick(["", "B", "C", "D", "F", "G", "H", "J", "K", "L", "M", "N",
                       "P", "R", "S", "T", "W", "Y", "Z", "NG", "NY", "SY", "KH",
                       "TR", "PR", "BR", "DR", "V", "Q", "X"])
            s += pick(VOWELS)
            s += pick(["", "", "", "N", "NG", "R", "S", "H", "T", "K", "M", "L"])
        return s

    def syllables(self):
        return " ".join(self.syllable_word() for _ in range(pick([1, 2, 2, 3, 4])))

    def street(self):
        r = random.random()
        if r < .5:
            return " ".join(pick(STREETS) for _ in range(pick([1, 1, 2, 2, 3])))
        if r < .7:
            return pick(self.regions)
        if r < .85:
            return pick(NAMES)
        return self.syllable_word()

    def house(self):
        r = random.random()
        n = str(1 + int(random.random() ** 2 * pick([20, 150, 999])))
        letter = pick("ABCDEFGHKLMNPRSTU")
        if r < .35:
            return pick(["NO.", "NO.", "NO. ", "NO ", "NO", "NOMOR "]) + n \
                + pick(["", "", "", letter, " " + letter, "/" + n, "-" + letter])
        if r < .75:
            block = pick([letter, letter, letter + digits(1), letter + letter,
                          letter + "-" + digits(1), letter + digits(2),
                          digits(1), pick(["I", "II", "III", "IV", "V", "VI"])])
            return pick(["BLOK ", "BLOK ", "BLK ", "BLOK. ", "BLK. "]) + block \
                + pick(["/", "/", " NO. ", " NO.", " NO ", " ", "-", ""]) + n
        if r < .88:
            return "RT " + digits(pick([2, 3])) + pick([" RW ", "/RW ", " / "]) \
                + digits(pick([2, 3]))
        if r < .94:
            return "RT." + digits(pick([1, 2, 3])) + pick([" ", "/"]) + "RW." \
                + digits(pick([1, 2, 3]))
        return n

    def address(self):
        parts = []
        if random.random() < .85:
            parts.append(pick(WAYS[:8]) if random.random() < .6 else pick(WAYS))
        parts.append(self.street())
        if random.random() < .35:
            parts.append(pick(TAILS))
        if random.random() < .75:
            parts.append(self.house())
        if random.random() < .15:
            parts.append(pick(WAYS) + " " + self.street())
        s = " ".join(parts)
        if random.random() < .1:
            s = s.replace(" ", pick([", ", " - ", ". ", "-", "/"]), 1)
        if random.random() < .1:
            cut = int(random.random() * len(s))
            s = s[cut:]
        return s

    def region(self):
        return pick(self.regions)

    def upper_region(self):
        s = pick(self.upper)
        r = random.random()
        if r < .4:
            for word in ("KABUPATEN ", "KOTA "):
                if s.startswith(word):
                    s = s[len(word):]
        elif r < .5:
            s = "PROVINSI " + s
        return s

    def date(self):
        return "%02d-%02d-%04d" % (1 + random.random() * 31,
                                   1 + random.random() * 12,
                                   1930 + random.random() * 100)

    def birth(self):
        place = pick([self.upper_region, self.upper_region, self.region,
                      self.syllable_word])()
        return place + pick([", ", ", ", ",", " "]) + self.date()

    def rt_rw(self):
        if random.random() < .3:
            # other shapes that cards have
            n = pick([1, 2, 3])
            return pick([digits(n) + "/" + digits(n), digits(n) + "/-",
                         digits(n) + "/-", "-/" + digits(n), digits(n), "-/-"])
        return digits(3) + "/" + pick(["", "", " "]) + digits(3)

    def word(self):
        return pick(WORDS)

    def label(self):
        s = pick(LABELS)
        return s.upper() if random.random() < .1 else s

    def blood(self):
        return pick(["Gol. Darah", "Gol. Darah", "Gol.Darah", "GOL. DARAH"]) \
            + pick([" : ", " :", ": "]) + pick(["A", "B", "AB", "O", "-", "A+",
                                                "O-", "B+", "AB+"])

    def number(self):
        return pick([digits, digits])(1 + int(random.random() * 16))

    def degree(self):
        """A degree, or letters like one."""
        if random.random() < .4:
            return pick(DEGREES)
        s = ""
        for _ in range(pick([1, 2, 2, 3])):
            s += "".join(pick(LETTERS) for _ in range(pick([1, 1, 1, 2, 3])))
            s += pick([".", ".", ".", ""])
        return s

    def titled(self):
        s = self.name()
        if random.random() < .3:
            s = pick(TITLES) + pick([" ", ""]) + s
        for _ in range(pick([1, 1, 2])):
            s += pick([", ", ", ", ",", " "]) + self.degree()
        return s

    def narrow(self):
        """Thin letters beside each other, and short words between blanks."""
        s = ""
        for _ in range(pick([2, 3, 3, 4, 5])):
            r = random.random()
            if r < .3:
                s += "".join(pick("IILLTJ1FE") for _ in range(pick([1, 2, 3, 4])))
            elif r < .5:
                s += pick(["I", "II", "III", "IV", "V", "VI", "VII", "VIII"])
            elif r < .65:
                s += pick(["NO", "RT", "KM", "BLOK", "GG", "JL", "LK"]) \
                    + pick([".", ".", ""]) + pick([" ", ""]) \
                    + digits(pick([1, 2, 3]))
            elif r < .8:
                s += pick(LETTERS) + pick([".", ",", "'", "-", ""]) \
                    + pick(LETTERS)
            else:
                s += self.syllable_word()
            s += pick([" ", " ", " ", ". ", ", ", "", "'", ".", "-"])
        return s

    def thin(self):
        """Words of thin letters, between which print leaves wide gaps."""
        words = []
        for _ in range(pick([1, 1, 2, 2, 3])):
            r = random.random()
            if r < .35:
                words.append(pick(THIN_NAMES))
            elif r < .85:
                words.append("".join(pick(THIN) for _ in range(pick([2, 3, 4]))))
            else:
                words.append(pick(NAMES))
        return " ".join(words)

    def wide(self):
        """Words with W, which print of dots makes of two halves."""
        if random.random() < .25:
            return "WNI"
        return " ".join(pick(WIDE) if random.random() < .7
                        else self.syllable_word() + pick(["WA", "WI", "WU"])
                        for _ in range(pick([1, 1, 2])))

    def marked(self):
        """Words with a slash or an apostrophe, which look like I."""
        r = random.random()
        if r < .4:
            return pick([w for w in WORDS if "/" in w])
        if r < .6:
            return self.syllable_word() + "/" + self.syllable_word()
        s = pick(["NUR'AINI", "MA'RUF", "SYAFI'I", "NU'MAN", "SA'ADAH",
                  "JUM'AH", "QUR'ANI", "RIFA'I", "MU'MIN", "MAS'UD"])
        return pick([s, s + " " + pick(NAMES), pick(NAMES) + " " + s])

    def short(self):
        """Abbreviations with full stops, and ends in a stem."""
        s = pick(["PERUM", "KOM", "PERUMNAS", "BLOK M", "KM", "RM", "HM", "GG",
                  "M.KN", "M.KOM", "M.H", "M.HUM", "M.M", "S.KM", "NO. 10",
                  "NO. 1", "NO. 11", "NO. 110", "NO. 7", "LK. II", "GG. IV",
                  "JL. H. M", "KOMP. TNI", "RT. 01", "M. N. M"])
        if random.random() < .5:
            s = self.syllable_word() + pick([" ", ", "]) + s
        if random.random() < .4:
            s += pick([" ", ". ", " NO. "]) \
                + pick([digits(1), digits(2), pick(TAILS), self.syllable_word()])
        return s

    def mess(self):
        """Random characters, which no vocabulary predicts."""
        r = random.random()
        if r < .5:
            kinds = LETTERS
        elif r < .8:
            kinds = LETTERS + "0123456789"
        else:
            kinds = LETTERS * 2 + "0123456789" + ".,/-'():&+"
        words = []
        for _ in range(pick([1, 2, 2, 3])):
            words.append("".join(pick(kinds)
                                 for _ in range(1 + int(random.random() * 9))))
        s = " ".join(words)
        if random.random() < .2:
            s = s.lower()
        return s
