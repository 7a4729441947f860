# Values that a rule knows nothing of are read as the card prints them.

use strict;
use warnings;

use FindBin qw($Bin);
use JSON::PP;
use Test::More;
use lib "$Bin/lib";

use KTP::Nginx;
use KTP::Specimen;

my $program = KTP::Nginx::build_dir() . '/ktp-extract';
my $dir = KTP::Nginx::scratch_dir();


# The answer about a card with some of its values changed.
sub read_card {
    my (@options) = @_;
    my ($card) = KTP::Specimen::draw(1, @options);

    KTP::Nginx::write_file("$dir/card.jpg", $card);

    return JSON::PP->new->decode(scalar `$program --details $dir/card.jpg`);
}


for my $case (
    # letters in the numbers of houses
    [address => 'JL. MAWAR NO. 12B'],
    [address => 'JL. MAWAR NO. 5B'],
    [address => 'JL. MELATI NO. 3Z'],
    [address => 'JL. KENANGA NO. 3-B'],
    [address => 'GG. H. SAID NO. 71/198B'],

    # foreigners
    [nationality => 'WNA'],
    [nationality => 'USA'],
    [nationality => 'INDIA'],

    # regions that are spelled otherwise in the table, or renamed
    [district => 'GUNUNG PUTRI'],
    [administrative_village => 'BENUA MELAYU DARAT'],
    [city => 'KOTA PALANGKA RAYA', state => 'KALIMANTAN TENGAH'],
    [city => 'KABUPATEN TOBA SAMOSIR', state => 'SUMATERA UTARA'],
    [city => 'KOTA MATARAM', state => 'SULAWESI SELATAN'],
    [state => 'IRIAN JAYA BARAT', city => 'KABUPATEN MANOKWARI'],
    [state => 'NANGGROE ACEH DARUSSALAM', city => 'KOTA SABANG'],
    [state => 'DI YOGYAKARTA', city => 'KABUPATEN SLEMAN'],
    [state => 'TIMOR TIMUR', city => 'KABUPATEN DILI'],
    [city => 'KABUPATEN MALUKU TENGGARA BARAT', state => 'MALUKU'],
    [place_of_birth => 'BIAK'],
    [place_of_birth => 'NEW YORK'],

    # RT/RW in the shapes that cards have
    [rt_rw => '-'],
    [rt_rw => '013'],
    [rt_rw => '1/2'],
    [rt_rw => '01/05'],
    [rt_rw => '013/-'],
    [rt_rw => '112/016'],
    [rt_rw => 'DEPOK BARU', rt_rw => ''],

    # a name of one letter, and dashes for nothing
    [full_name => 'I'],
    [religion => '-'],
    [occupation => '-'],
    [administrative_village => '-'],

    # blood groups
    [blood_type => 'AB-'],
    [blood_type => 'TIDAK TAHU'],
    [blood_type => 'AB', gender => 'LAKI-LAKI ----------------'],

    # numbers and dates that cannot be
    [nik => '3273996713780002'],
    [nik => '9999991107540006'],
    [nik => '3273990000000001'],
    [date_of_birth => '31-06-1978', nik => '3273993106780002'],

    # a word that is cut off is completed if it is one only
    [occupation => 'MENGURUS RUMA', occupation => 'MENGURUS RUMAH TANGGA'],
    [occupation => 'KARYAWA', occupation => 'KARYAWA'],

    # words that are not in the lexicons
    [occupation => 'PEGAWAI SWASTA'],
    [religion => 'KEPERCAYAAN'],
) {
    my ($name, $value, %more) = @$case;
    my $data = read_card('--set', "$name=$value",
                         map { ('--set', "$_=$more{$_}") }
                             grep { $_ ne $name } keys %more)
             ->{data};

    is($data->{$name}, $more{$name} // $value, "$name: $value");
    is(!!$data->{details}{$name}{repaired},
       defined $more{$name} && $more{$name} ne $value && $more{$name} ne '',
       'and it is repaired only if that is another');
}

# a blood group that is not there is none, and not surely so

for my $case (['-', 1], ['O', 1], ['TIDAK TAHU', 1], ['', 0]) {
    my ($group, $sure) = @$case;
    my $detail = read_card('--set', "blood_type=$group")
                     ->{data}{details}{blood_type};

    is($detail->{value}, $group || '-', "blood group '$group'");
    cmp_ok($detail->{confidence}, $sure ? '>' : '<', $sure ? 0.85 : 0.5,
           'confidence');
}

# a number is reported as it is, with what is strange about it

for my $case (
    ['3273991107540006', []],
    ['3273996713540006', ['invalid_date']],
    ['9999991107540006', ['unknown_region']],
    ['3578991107540006', ['region_differs']],
    ['3273991208540006', ['date_of_birth_differs']],
    ['3273995107540006', ['gender_differs']],
    ['3578995208640006', [qw(region_differs date_of_birth_differs
                             gender_differs)], '0.5'],
) {
    my ($nik, $warnings, $below) = @$case;
    my $detail = read_card('--set', "nik=$nik")->{data}{details}{nik};

    is($detail->{value}, $nik, "nik: $nik");
    is_deeply($detail->{warnings}, $warnings, "warnings: @$warnings");
    cmp_ok($detail->{confidence}, $below ? '<' : '>', $below || 0.9,
           'confidence');
}

# fifteen digits or seventeen are no number

for my $nik ('327399110754000', '32739911075400061') {
    is(read_card('--set', "nik=$nik")->{data}{nik}, '',
       length($nik) . ' digits');
}

done_testing();
