#include <math.h>
#include <string.h>

#include "ktpr_choice.h"
#include "ktpr_lexicon.h"
#include "ktpr_text.h"


/*
 * Characters by which a text may exceed an entry that it begins with.
 * Set not recorded.  Lower: labels with a colon or specks behind them look
 * less like theirs; higher: short entries look like long words.
 */
#define KTPR_LEXICON_OVER 3

static const char *const ktpr_genders[] = {"LAKI-LAKI", "PEREMPUAN", NULL};

static const char *const ktpr_religions[] = {
    "ISLAM",
    "KRISTEN",
    "KATHOLIK",
    "KATOLIK",
    "HINDU",
    "BUDHA",
    "BUDDHA",
    "KHONGHUCU",
    "KONGHUCU",
    "KEPERCAYAAN",
    "KEPERCAYAAN TERHADAP TUHAN YME",
    NULL,
};

static const char *const ktpr_statuses[] = {
    "BELUM KAWIN",
    "KAWIN",
    "CERAI HIDUP",
    "CERAI MATI",
    "KAWIN TERCATAT",
    "KAWIN BELUM TERCATAT",
    "CERAI TERCATAT",
    "CERAI BELUM TERCATAT",
    NULL,
};

/* The occupations of Permendagri 109/2019, form F-1.01, and old spellings. */
static const char *const ktpr_occupations[] = {
    "BELUM/TIDAK BEKERJA",
    "MENGURUS RUMAH TANGGA",
    "PELAJAR/MAHASISWA",
    "PENSIUNAN",
    "PEGAWAI NEGERI SIPIL",
    "PEGAWAI NEGERI SIPIL (PNS)",
    "TENTARA NASIONAL INDONESIA",
    "TENTARA NASIONAL INDONESIA (TNI)",
    "KEPOLISIAN RI",
    "KEPOLISIAN RI (POLRI)",
    "PERDAGANGAN",
    "PETANI/PEKEBUN",
    "PETERNAK",
    "NELAYAN/PERIKANAN",
    "INDUSTRI",
    "KONSTRUKSI",
    "TRANSPORTASI",
    "KARYAWAN SWASTA",
    "KARYAWAN BUMN",
    "KARYAWAN BUMD",
    "KARYAWAN HONORER",
    "BURUH HARIAN LEPAS",
    "BURUH TANI/PERKEBUNAN",
    "BURUH NELAYAN/PERIKANAN",
    "BURUH PETERNAKAN",
    "PEMBANTU RUMAH TANGGA",
    "TUKANG CUKUR",
    "TUKANG LISTRIK",
    "TUKANG BATU",
    "TUKANG KAYU",
    "TUKANG SOL SEPATU",
    "TUKANG LAS/PANDAI BESI",
    "TUKANG JAHIT",
    "TUKANG GIGI",
    "PENATA RIAS",
    "PENATA BUSANA",
    "PENATA RAMBUT",
    "MEKANIK",
    "SENIMAN",
    "TABIB",
    "PARAJI",
    "PERANCANG BUSANA",
    "PENTERJEMAH",
    "PENERJEMAH",
    "IMAM MASJID",
    "IMAM MESJID",
    "PENDETA",
    "PASTOR",
    "WARTAWAN",
    "USTADZ/MUBALIGH",
    "JURU MASAK",
    "PROMOTOR ACARA",
    "ANGGOTA DPR-RI",
    "ANGGOTA DPD",
    "ANGGOTA BPK",
    "PRESIDEN",
    "WAKIL PRESIDEN",
    "ANGGOTA MAHKAMAH KONSTITUSI",
    "ANGGOTA KABINET/KEMENTERIAN",
    "DUTA BESAR",
    "GUBERNUR",
    "WAKIL GUBERNUR",
    "BUPATI",
    "WAKIL BUPATI",
    "WALIKOTA",
    "WAKIL WALIKOTA",
    "ANGGOTA DPRD PROVINSI",
    "ANGGOTA DPRD KABUPATEN/KOTA",
    "DOSEN",
    "GURU",
    "PILOT",
    "PENGACARA",
    "NOTARIS",
    "ARSITEK",
    "AKUNTAN",
    "KONSULTAN",
    "DOKTER",
    "BIDAN",
    "PERAWAT",
    "APOTEKER",
    "PSIKIATER/PSIKOLOG",
    "PENYIAR TELEVISI",
    "PENYIAR RADIO",
    "PELAUT",
    "PENELITI",
    "SOPIR",
    "PIALANG",
    "PARANORMAL",
    "PEDAGANG",
    "PERANGKAT DESA",
    "KEPALA DESA",
    "BIARAWATI",
    "BIARAWAN",
    "WIRASWASTA",
    "ANGGOTA LEMBAGA TINGGI",
    "ARTIS",
    "ATLIT",
    "CHEF",
    "MANAJER",
    "TENAGA TATA USAHA",
    "OPERATOR",
    "PEKERJA PENGOLAHAN, KERAJINAN",
    "TEKNISI",
    "ASISTEN AHLI",
    "LAINNYA",
    NULL,
};

static const char *const ktpr_valid[] = {"SEUMUR HIDUP", NULL};

static const char *const *const ktpr_lexicons[KTPR_LEXICONS] = {
    ktpr_genders, ktpr_religions, ktpr_statuses, ktpr_occupations, ktpr_valid,
};


const char *
ktpr_lexicon_match(ktpr_lexicon_t lexicon, const char *text, double limit,
                   double *distance)
{
    char               key[KTPR_TEXT_MAX], word[KTPR_TEXT_MAX];
    double             rel;
    const char        *best;
    const char *const *w;

    ktpr_text_key(text, key, sizeof(key));
    *distance = HUGE_VAL;
    best = NULL;

    if (key[0] == '\0') {
        return NULL;
    }

    for (w = ktpr_lexicons[lexicon]; *w != NULL; w++) {
        ktpr_text_key(*w, word, sizeof(word));
        rel = (double) ktpr_text_distance(key, word) / (double) strlen(word);

        if (rel <= limit && rel < *distance) {
            *distance = rel;
            best = *w;
        }
    }

    return best;
}


const char *
ktpr_lexicon_choose(ktpr_lexicon_t lexicon, const ktpr_reading_t *reading,
                    double limit, float *sure)
{
    ktpr_choice_t      choice;
    const char *const *w;

    if (reading->nlooks == 0 || reading->text[0] == '\0') {
        return NULL;
    }

    ktpr_choice_begin(&choice, reading);

    for (w = ktpr_lexicons[lexicon]; *w != NULL; w++) {
        ktpr_choice_try(&choice, *w, *w);
    }

    if (!ktpr_choice_made(&choice, limit, KTPR_CHOICE_CLEAR)) {
        return NULL;
    }

    *sure = ktpr_choice_sure(&choice);

    return choice.what;
}


int
ktpr_lexicon_begun(ktpr_lexicon_t lexicon, const char *text,
                   const char **entry)
{
    int                n;
    size_t             length;
    const char *const *w;

    n = 0;
    length = strlen(text);

    for (w = ktpr_lexicons[lexicon]; *w != NULL && length > 0; w++) {
        if (strncmp(*w, text, length) == 0 && (*w)[length] != '\0') {
            *entry = n == 0 ? *w : *entry;
            n++;
        }
    }

    return n;
}


double
ktpr_lexicon_like(ktpr_lexicon_t lexicon, const char *text)
{
    char               start[KTPR_TEXT_MAX];
    size_t             n, size;
    double             like, best;
    const char *const *w;

    best = 0;

    for (w = ktpr_lexicons[lexicon]; *w != NULL; w++) {
        n = strlen(*w);
        size = n + KTPR_LEXICON_OVER + 1;
        ktpr_text_copy(start, size < sizeof(start) ? size : sizeof(start),
                       text);
        like = 1 - (double) ktpr_text_distance(start, *w) / (double) n;
        best = like > best ? like : best;
    }

    return best;
}
