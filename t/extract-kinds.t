# Documents with the labels of a KTP that are none.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use lib "$Bin/lib";

use KTP::Nginx;
use KTP::Specimen;

my $program = KTP::Nginx::build_dir() . '/ktp-extract';
my $dir = KTP::Nginx::scratch_dir();

my @values = qw(full_name place_of_birth date_of_birth gender blood_type
                address rt_rw administrative_village district religion
                marital_status occupation nationality valid_until issued_place
                issued_date);


# Whether a card with some options is detected.
sub detected {
    my ($card) = KTP::Specimen::draw(2, @_);

    KTP::Nginx::write_file("$dir/card.jpg", $card);
    my $answer = `$program $dir/card.jpg`;

    return $answer =~ /"KTP_NOT_DETECTED"/ ? 0
         : $answer =~ /"Success"/          ? 1
         :                                   die $answer;
}


sub set { my %set = @_; return map { ('--set', "$_=$set{$_}") } sort keys %set }


for my $case (
    [1, 'a card'],
    [1, 'one without a readable head', set(state => '', city => '')],
    [1, 'one without a number', set(nik => '')],
    [1, 'one with an impossible number', set(nik => '9999999999999999')],

    [0, 'a blank card', set(nik => '', map { ($_ => '') } @values)],
    [0, 'a blank card with a number', set(map { ($_ => '') } @values)],
    [0, 'a form', '--title', 'DATA WARGA'],
    [0, 'a form with no title', '--title', ''],
    [0, q{a student's card}, '--title', 'KARTU TANDA MAHASISWA'],
    [0, q{a child's card, with head and number},
     set(city => 'KARTU IDENTITAS ANAK')],
    [0, 'a licence', set(city => 'SURAT IZIN MENGEMUDI')],
) {
    my ($card, $name, @options) = @$case;

    is(detected(@options), $card,
       "$name is " . ($card ? 'detected' : 'not detected'));
}

done_testing();
