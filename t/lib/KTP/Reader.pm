package KTP::Reader;

# What a local reader answers, for the upstreams of tests.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();
use KTP::Upstream;

our @EXPORT = qw(%card json ok_body answers check reading);

# The person of a card that is consistent with its number; no district has
# the third pair 99.
our %card = (
    nik => '3273995708900001', full_name => 'SPECIMEN PERCOBAAN',
    place_of_birth => 'BANDUNG', date_of_birth => '17-08-1990',
    gender => 'PEREMPUAN', blood_type => 'O', address => 'JL. CONTOH NO. 1',
    rt_rw => '001/002', administrative_village => 'CIPAGANTI',
    district => 'COBLONG', city => 'KOTA BANDUNG', state => 'JAWA BARAT',
    religion => 'ISLAM', marital_status => 'KAWIN', occupation => 'GURU',
    nationality => 'WNI');


sub json { return JSON::PP->new->canonical->encode($_[0]) }

sub ok_body { return { message => 'Success', status_code => $_[0], data => $_[1] } }

sub answers { return KTP::Upstream::response(@_) }


# What a reader says to "?check=1".
sub check {
    my ($detected, $confidence, %flags) = @_;

    return answers('200 OK', json({
        message => 'Success', status_code => 'LOCAL-0',
        data => { detected => $detected ? \1 : \0, confidence => $confidence,
                  image_quality => { blur => \0, dark => \0, flashlight => \0,
                                     grayscale => \0, blur_score => 0.1,
                                     %flags } } }));
}


# What it says to "?details=1"; a number is the confidence of a field.
sub reading {
    my ($sure, %other) = @_;

    my %value = (%card, %{ $other{value} || {} });
    my %details = map {
        $_ => { value => $value{$_}, raw => $value{$_}, repaired => \0,
                box => [1, 2, 3, 4],
                confidence => $other{sure}{$_} // $sure }
    } keys %value;

    return answers('200 OK', json(ok_body('LOCAL-0', {
        %value, reference_id => '', valid_until => 'SEUMUR HIDUP',
        details => \%details,
        image_quality => { blur => \0, dark => \0, flashlight => \0,
                           grayscale => \0 } })));
}


1;
