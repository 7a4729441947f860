#include "person.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define items(a) (sizeof(a) / sizeof((a)[0]))


typedef struct {
    unsigned    code; /* province and regency, of Kepmendagri 300.2.2-2430 */
    const char *state;
    const char *city;
    const char *issued;
    const char *district;
    const char *villages[2];
} place_t;


/* clang-format off */

static const place_t places[] = {
    { 1171, "ACEH", "KOTA BANDA ACEH", "BANDA ACEH",
      "KUTA ALAM", { "MULIA", "PEUNAYONG" } },
    { 1207, "SUMATERA UTARA", "KABUPATEN DELI SERDANG", "DELI SERDANG",
      "TANJUNG MORAWA", { "PEKAN TANJUNG MORAWA", "MEDAN SENEMBAH" } },
    { 1376, "SUMATERA BARAT", "KOTA PAYAKUMBUH", "PAYAKUMBUH",
      "PAYAKUMBUH BARAT", { "PAKAN SINAYAN", "KUBU GADANG" } },
    { 1471, "RIAU", "KOTA PEKANBARU", "PEKANBARU",
      "SUKAJADI", { "JADIREJO", "KAMPUNG TENGAH" } },
    { 1808, "LAMPUNG", "KABUPATEN WAY KANAN", "WAY KANAN",
      "KASUI", { "KASUI PASAR", "DATAR BANCONG" } },
    { 3174, "DKI JAKARTA", "JAKARTA SELATAN", "JAKARTA SELATAN",
      "TEBET", { "TEBET TIMUR", "TEBET BARAT" } },
    { 3273, "JAWA BARAT", "KOTA BANDUNG", "BANDUNG",
      "COBLONG", { "CIPAGANTI", "LEBAK GEDE" } },
    { 3204, "JAWA BARAT", "KABUPATEN BANDUNG", "KABUPATEN BANDUNG",
      "CILEUNYI", { "CILEUNYI KULON", "CILEUNYI WETAN" } },
    { 3374, "JAWA TENGAH", "KOTA SEMARANG", "SEMARANG",
      "SEMARANG UTARA", { "BANDARHARJO", "BULU LOR" } },
    { 3309, "JAWA TENGAH", "KABUPATEN BOYOLALI", "BOYOLALI",
      "AMPEL", { "TANDUK", "BANYUANYAR" } },
    { 3578, "JAWA TIMUR", "KOTA SURABAYA", "SURABAYA",
      "WONOCOLO", { "SIDOSERMO", "BENDUL MERISI" } },
    { 3507, "JAWA TIMUR", "KABUPATEN MALANG", "MALANG",
      "PAGAK", { "SUMBERMANJING KULON", "PANDANREJO" } },
    { 3603, "BANTEN", "KABUPATEN TANGERANG", "TANGERANG",
      "BALARAJA", { "BALARAJA", "CANGKUDU" } },
    { 5171, "BALI", "KOTA DENPASAR", "DENPASAR",
      "DENPASAR TIMUR", { "KESIMAN", "SUMERTA" } },
    { 5203, "NUSA TENGGARA BARAT", "KABUPATEN LOMBOK TIMUR", "LOMBOK TIMUR",
      "KERUAK", { "TANJUNG LUAR", "PIJOT" } },
    { 5371, "NUSA TENGGARA TIMUR", "KOTA KUPANG", "KUPANG",
      "MAULAFA", { "OEPURA", "MAULAFA" } },
    { 6171, "KALIMANTAN BARAT", "KOTA PONTIANAK", "PONTIANAK",
      "PONTIANAK TIMUR", { "PARITMAYOR", "BANJAR SERASAN" } },
    { 6472, "KALIMANTAN TIMUR", "KOTA SAMARINDA", "SAMARINDA",
      "PALARAN", { "RAWA MAKMUR", "HANDIL BAKTI" } },
    { 7171, "SULAWESI UTARA", "KOTA MANADO", "MANADO",
      "TUMINTING", { "BITUNG KARANGRIA", "TUMINTING" } },
    { 7371, "SULAWESI SELATAN", "KOTA MAKASSAR", "MAKASSAR",
      "MAMAJANG", { "SAMBUNG JAWA", "PARANG" } },
    { 7415, "SULAWESI TENGGARA", "KABUPATEN BUTON SELATAN", "BUTON SELATAN",
      "SAMPOLAWA", { "KATILOMBU", "JAYA BAKTI" } },
    { 8171, "MALUKU", "KOTA AMBON", "AMBON",
      "SIRIMAU", { "PANDAN KASTURI", "RIJALI" } },
    { 9171, "PAPUA", "KOTA JAYAPURA", "JAYAPURA",
      "JAYAPURA SELATAN", { "ARGAPURA", "ARDIPURA" } },
};

static const char *const men[] = {
    "BAYU", "JOKO", "TEGUH", "RIDWAN", "FAJAR", "ANDI", "HENDRA", "WAHYU",
    "YOSEP", "MADE", "LUKMAN", "DIMAS", "RIZKY", "AGUNG", "SURYA", "IMAM",
};

static const char *const women[] = {
    "SITI", "DEWI", "RATNA", "WULAN", "INDAH", "MEGA", "NOVI", "PUTRI",
    "YULIA", "KARTIKA", "LESTARI", "AYU", "FITRI", "MARIA", "DIAH", "RINA",
};

/* no family has these: every name of a specimen is told as one by them */
static const char *const families[] = {
    "CONTOH", "REKAAN", "FIKTIF", "PERMISALAN", "TELADAN", "SEMU",
    "KHAYALAN", "ANGAN", "MISALNYA", "UMPAMA",
};

static const char *const middles[] = {
    "NUR", "DWI", "TRI", "EKA", "ADI", "BUDI", "SRI", "CAHYA",
};

static const char *const streets[] = {
    "MELATI", "KENANGA", "MAWAR", "CEMPAKA", "GARUDA", "RAJAWALI",
    "PAHLAWAN", "DIPONEGORO", "SUDIRMAN", "MERDEKA", "VETERAN", "ANGGREK",
};

static const char *const religions[] = {
    "ISLAM", "KRISTEN", "KATOLIK", "HINDU", "BUDHA", "KONGHUCU",
};

static const char *const statuses[] = {
    "BELUM KAWIN", "KAWIN", "CERAI HIDUP", "CERAI MATI",
};

static const char *const occupations[] = {
    "KARYAWAN SWASTA", "PEGAWAI NEGERI SIPIL", "PELAJAR/MAHASISWA",
    "WIRASWASTA", "PETANI/PEKEBUN", "GURU", "BURUH HARIAN LEPAS",
    "MENGURUS RUMAH TANGGA", "BELUM/TIDAK BEKERJA", "PERAWAT", "DOKTER",
    "NELAYAN/PERIKANAN", "PEDAGANG", "SOPIR", "PENSIUNAN",
};

static const char *const bloods[] = { "A", "B", "AB", "O", "-", "O+", "B+" };

/* clang-format on */


static const char *pick(dice_t *dice, const char *const *list, unsigned n);
static void        person_name(person_t *person, dice_t *dice, int woman);
static void person_birth(person_t *person, dice_t *dice, const place_t *at,
                         int woman);
static void person_address(person_t *person, dice_t *dice);


void
dice_init(dice_t *dice, uint64_t seed)
{
    dice->state = seed;
}


/* splitmix64: any seed will do, and the same one gives the same card */

static uint64_t
dice_next(dice_t *dice)
{
    uint64_t z;

    dice->state += 0x9e3779b97f4a7c15u;
    z = dice->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

    return z ^ (z >> 31);
}


unsigned
dice_roll(dice_t *dice, unsigned n)
{
    return (unsigned) ((dice_next(dice) >> 32) % n);
}


double
dice_real(dice_t *dice)
{
    return (double) (dice_next(dice) >> 11) / 9007199254740992.0;
}


void
person_invent(person_t *person, dice_t *dice)
{
    int            woman;
    const place_t *home, *at;

    home = &places[dice_roll(dice, items(places))];
    at = dice_roll(dice, 3) ? home : &places[dice_roll(dice, items(places))];
    woman = (int) dice_roll(dice, 2);

    snprintf(person->state, PERSON_MAX, "%s", home->state);
    snprintf(person->city, PERSON_MAX, "%s", home->city);
    snprintf(person->district, PERSON_MAX, "%s", home->district);
    snprintf(person->administrative_village, PERSON_MAX, "%s",
             home->villages[dice_roll(dice, 2)]);

    person_name(person, dice, woman);
    person_birth(person, dice, at, woman);
    person_address(person, dice);

    snprintf(person->gender, PERSON_MAX, "%s",
             woman ? "PEREMPUAN" : "LAKI-LAKI");
    snprintf(person->blood_type, sizeof(person->blood_type), "%s",
             pick(dice, bloods, items(bloods)));
    snprintf(person->religion, PERSON_MAX, "%s",
             pick(dice, religions, items(religions)));
    snprintf(person->marital_status, PERSON_MAX, "%s",
             pick(dice, statuses, items(statuses)));
    snprintf(person->occupation, PERSON_MAX, "%s",
             pick(dice, occupations, items(occupations)));
    snprintf(person->nationality, sizeof(person->nationality), "WNI");
    snprintf(person->valid_until, PERSON_MAX, "SEUMUR HIDUP");
    snprintf(person->issued_place, PERSON_MAX, "%s", home->issued);
    snprintf(person->issued_date, sizeof(person->issued_date),
             "%02u-%02u-%04u", 1 + dice_roll(dice, 28),
             1 + dice_roll(dice, 12), 2012 + dice_roll(dice, 13));
}


static const char *
pick(dice_t *dice, const char *const *list, unsigned n)
{
    return list[dice_roll(dice, n)];
}


static void
person_name(person_t *person, dice_t *dice, int woman)
{
    const char *first, *middle, *family;

    first =
        woman ? pick(dice, women, items(women)) : pick(dice, men, items(men));
    middle = pick(dice, middles, items(middles));
    family = pick(dice, families, items(families));

    if (dice_roll(dice, 2)) {
        snprintf(person->full_name, PERSON_MAX, "%s %s", first, family);
        return;
    }

    snprintf(person->full_name, PERSON_MAX, "%s %s %s", first, middle, family);
}


static void
person_birth(person_t *person, dice_t *dice, const place_t *at, int woman)
{
    unsigned day, month, year;

    day = 1 + dice_roll(dice, 28);
    month = 1 + dice_roll(dice, 12);
    year = 1950 + dice_roll(dice, 57);

    snprintf(person->place_of_birth, PERSON_MAX, "%s", at->issued);
    snprintf(person->date_of_birth, sizeof(person->date_of_birth),
             "%02u-%02u-%04u", day, month, year);
    snprintf(person->nik, sizeof(person->nik), "%04u99%02u%02u%02u%04u",
             at->code, day + (woman ? 40 : 0), month, year % 100,
             1 + dice_roll(dice, 40));
}


static void
person_address(person_t *person, dice_t *dice)
{
    const char *street;

    street = pick(dice, streets, items(streets));

    switch (dice_roll(dice, 3)) {
    case 0:
        snprintf(person->address, PERSON_MAX, "JL. %s NO. %u", street,
                 1 + dice_roll(dice, 190));
        break;

    case 1:
        snprintf(person->address, PERSON_MAX, "JALAN %s BLOK B/%u", street,
                 1 + dice_roll(dice, 60));
        break;

    default:
        snprintf(person->address, PERSON_MAX, "DUSUN %s", street);
        break;
    }

    snprintf(person->rt_rw, sizeof(person->rt_rw), "%03u/%03u",
             1 + dice_roll(dice, 24), 1 + dice_roll(dice, 20));
}


char *
person_member(person_t *person, const char *name)
{
    size_t i;

    static const struct {
        const char *name;
        size_t      at;
    } members[] = {
        {"nik", offsetof(person_t, nik)},
        {"full_name", offsetof(person_t, full_name)},
        {"place_of_birth", offsetof(person_t, place_of_birth)},
        {"date_of_birth", offsetof(person_t, date_of_birth)},
        {"gender", offsetof(person_t, gender)},
        {"blood_type", offsetof(person_t, blood_type)},
        {"address", offsetof(person_t, address)},
        {"rt_rw", offsetof(person_t, rt_rw)},
        {"administrative_village", offsetof(person_t, administrative_village)},
        {"district", offsetof(person_t, district)},
        {"city", offsetof(person_t, city)},
        {"state", offsetof(person_t, state)},
        {"religion", offsetof(person_t, religion)},
        {"marital_status", offsetof(person_t, marital_status)},
        {"occupation", offsetof(person_t, occupation)},
        {"nationality", offsetof(person_t, nationality)},
        {"valid_until", offsetof(person_t, valid_until)},
        {"issued_place", offsetof(person_t, issued_place)},
        {"issued_date", offsetof(person_t, issued_date)},
    };

    for (i = 0; i < items(members); i++) {
        if (strcmp(members[i].name, name) == 0) {
            return (char *) person + members[i].at;
        }
    }

    return NULL;
}


int
person_set(person_t *person, const char *pair)
{
    char        name[PERSON_MAX], *member;
    const char *value;

    value = strchr(pair, '=');
    if (value == NULL || value - pair >= PERSON_MAX) {
        return -1;
    }

    snprintf(name, sizeof(name), "%.*s", (int) (value - pair), pair);
    member = person_member(person, name);
    if (member == NULL) {
        return -1;
    }

    snprintf(member, PERSON_MAX, "%s", value + 1);

    return 0;
}
