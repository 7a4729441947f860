# What a reflection hides is completed where it can be one thing only, and no
# value of which it may hide a part is said surely.

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


# The details of a card that is drawn with options, and what it says.
sub read_drawn {
    my ($seed, @options) = @_;
    my ($card, $truth) = KTP::Specimen::draw($seed, @options);

    KTP::Nginx::write_file("$dir/card.jpg", $card);

    return (JSON::PP->new->decode(scalar `$program --details $dir/card.jpg`)
                ->{data}{details}, $truth);
}

# The same of a card with a reflection at a place.
sub read_card {
    my ($x, $y, $radius, %values) = @_;

    return read_drawn(3, '--glare', $radius, '--glare-x', $x, '--glare-y', $y,
                      map { ('--set', "$_=$values{$_}") } keys %values);
}


my %lampung = (state => 'LAMPUNG', city => 'KABUPATEN WAY KANAN');
my %lombok = (state => 'NUSA TENGGARA BARAT', city => 'KABUPATEN LOMBOK TIMUR');

# a line of the head is read under the rim of a reflection, or its end is clear
# from its beginning or from the other line

for my $case (
    ['all of the province', .50, .17, \%lampung],
    ['its first word', .50, .17, \%lombok],
    ['its end', .58, .17, \%lampung],
    ['the ends of both lines', .58, .22, \%lampung],
) {
    my ($name, $x, $y, $values) = @$case;
    my ($details) = read_card($x, $y, .05, %$values);

    for my $field (sort keys %$values) {
        is($details->{$field}{value}, $values->{$field}, "$name: $field");
        ok($details->{$field}{raw} =~ /$values->{$field}$/
           || $details->{$field}{confidence} <= .9, 'is read, or not sure');
    }
}

# Values that are too faint to be found beside a label that is faint, too, are
# read where they must be.

for my $case (
    [110, .26, .41, .11, 1, 'place_of_birth'],
    [135, .26, .43, .10, 1, 'place_of_birth'],
    [235, .26, .42, .11, 1, 'place_of_birth'],
    [472, .28, .33, .13, 1, 'date_of_birth'],
    [303, .26, .58, .10, 2, 'administrative_village', 'marital_status'],
) {
    my ($seed, $x, $y, $radius, $edge, @fields) = @$case;
    my ($details, $truth) =
        read_drawn($seed, '--glare', $radius, '--glare-x', $x, '--glare-y', $y,
                   '--glare-edge', $edge, '--size', '800x600', '--noise', 7,
                   '--blur', .8, '--quality', 50);

    is($details->{$_}{value}, $truth->{$_}, "faint beside a faint label: $_")
        for @fields;
}

# the ends of labels are no labels of another document

{
    my ($details, $truth) =
        read_drawn(4, '--glare', .08, '--glare-x', .1, '--glare-y', .58,
                   '--size', '800x600', '--noise', 7, '--blur', .8,
                   '--quality', 50);

    is($details->{$_}{value}, $truth->{$_}, "labels under a reflection: $_")
        for qw(nik full_name administrative_village district religion);
}

# the only village of the district that begins so

my %garut = (state => 'JAWA BARAT', city => 'KABUPATEN GARUT',
             district => 'PAKENJENG', administrative_village => 'SUKAMULYA');

for my $x (.39, .41) {
    my ($details) = read_card($x, .54, .04, %garut);
    my $village = $details->{administrative_village};

    is($village->{value}, 'SUKAMULYA', "a village, cut at $x");
    ok($village->{repaired}, 'is repaired');
    unlike($village->{raw}, qr/MULYA/, 'not read');
}

# the only district of the city, and village of the district, that has these
# letters

my %tebet = (state => 'DKI JAKARTA', city => 'JAKARTA SELATAN',
             district => 'TEBET', administrative_village => 'TEBET TIMUR');

for my $case (
    ['administrative_village', .30, .54, .03],
    ['administrative_village', .31, .54, .04],
    ['district', .29, .57, .04],
    ['district', .30, .57, .04],
) {
    my ($field, $x, $y, $radius) = @$case;
    my ($details) = read_card($x, $y, $radius, %tebet);

    is($details->{$field}{value}, $tebet{$field}, "$field, its end at $x");
    isnt($details->{$field}{raw}, $tebet{$field}, 'is all that is read');
    cmp_ok($details->{$field}{confidence}, '<=', .9, 'and not sure');
}

# of which TING is the end, and TINGKULU another that begins so

my ($end) = read_card(.31, .54, .04, state => 'SULAWESI UTARA',
                      city => 'KOTA MANADO', district => 'TUMINTING',
                      administrative_village => 'TUMINTING');
isnt($end->{administrative_village}{raw}, 'TUMINTING', 'a beginning is hidden');
cmp_ok($end->{administrative_village}{confidence}, '<=', .9,
       'what may begin so is not sure');

# LOMBOK BARAT, TENGAH, TIMUR and UTARA begin so

my ($details) = read_card(.62, .22, .05, %lombok);
isnt($details->{city}{value}, 'KABUPATEN LOMBOK BARAT', 'not one of several');
ok($details->{city}{value} eq $lombok{city} || $details->{city}{confidence} < .5,
   'and the rest is not sure');

# a name's end, and the upper half of digits

my $truth;
($details, $truth) = read_card(.47, .37, .05);
isnt($details->{full_name}{value}, $truth->{full_name}, 'a name is cut');
cmp_ok($details->{full_name}{confidence}, '<', .5, 'which is not sure');

($details, $truth) = read_card(.45, .27, .05);
isnt($details->{nik}{value}, $truth->{nik}, 'digits are misread');
cmp_ok($details->{nik}{confidence}, '<', .5, 'which is not sure');

# the same reflection elsewhere, and white paper, change nothing

for my $case (
    ['elsewhere', []],
    ['white paper', ['--gray', '--dark', 1.35]],
) {
    my ($name, $options) = @$case;
    my ($card) = KTP::Specimen::draw(3, '--glare', .05, '--glare-x', .78,
                                     '--glare-y', .75, @$options);

    KTP::Nginx::write_file("$dir/card.jpg", $card);
    $details = JSON::PP->new->decode(
        scalar `$program --details $dir/card.jpg`)->{data}{details};

    for my $field (qw(nik full_name address)) {
        cmp_ok($details->{$field}{confidence}, '>', .85, "$name: $field");
    }
}

done_testing();
