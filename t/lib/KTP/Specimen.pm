package KTP::Specimen;

# Cards of invented people, drawn by build/ktp-specimen.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP;

use KTP::Nginx;

my $Program = abs_path(dirname(__FILE__) . '/../../..')
            . '/build/ktp-specimen';
my $Dir;
my $Count = 0;


# A picture and what is on it: draw(7), draw(7, '--blur', 3, ...).  "--png"
# is for the name of the file.
sub draw {
    my ($seed, @options) = @_;

    $Dir ||= KTP::Nginx::scratch_dir();
    my $name = "$Dir/" . ++$Count;
    my $png = grep { $_ eq '--png' } @options;
    my $picture = $png ? "$name.png" : "$name.jpg";

    @options = grep { $_ ne '--png' } @options;
    system($Program, '-o', $picture, '--truth', "$name.json",
           '--seed', $seed, @options) == 0
        or die "$Program failed; \"make specimen\" builds it\n";

    my $truth = JSON::PP->new->decode(KTP::Nginx::read_file("$name.json"));

    return (KTP::Nginx::read_file($picture), $truth->{truth});
}


1;
