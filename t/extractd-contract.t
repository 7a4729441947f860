# ktp-extractd: every row of the contract, each way in, in both framings.
# The images of the table are grey areas, so what the gateway would send on
# is no card here.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use lib "$Bin/lib";

use KTP::Cases;
use KTP::Extractd;
use KTP::Image;

my $d = KTP::Extractd->new('--workers', 1);

for my $chunked (0, 50_021) {
    for my $i (0 .. KTP::Cases::count() - 1) {
        my $row = KTP::Cases::row($i);
        my $name = ($chunked ? 'chunked, ' : '') . $row->{name};

        my $answer = $d->request(uri => $row->{uri}, type => $row->{type},
                                 body => $row->{body}, chunked => $chunked);

        my ($status, $code) = @{$row}{qw(status code)};

        if ($status == 200) {
            # asked for its quality, a grey image fails on that
            my $asked = $row->{name} =~ /flags|all members/;
            ($status, $code) = $asked ? (200, 'FAIL_ON_1')
                                      : (400, 'KTP_NOT_DETECTED');
        }

        is($answer->{status}, $status, "$name: status");
        is($answer->{json}{error_code}, $code, "$name: code");
        like($answer->{head}, qr{^Content-Type: application/json\r?$}m,
             "$name: type");
    }
}

unlike($d->log, qr/canary|worker \d/, 'the log has no secret and no crash');

done_testing;
