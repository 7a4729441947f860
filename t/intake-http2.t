# Every row of the contract, each way in, over HTTP/2.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Cases;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $port = KTP::Nginx::free_port();
my $file = $nginx->prefix . '/body';

my $conf = $nginx->config(log_level => 'info', main => KTP::load_module(),
                          http => <<EOC);
    server {
        listen 127.0.0.1:$port http2;

        location = /v2/ktp/extract {
            ktp_pass @{[$upstream->url]}/v2/ktp/extract;
            ktp_app_id $KTP::App_id;
            ktp_api_key $KTP::Api_key;
        }
    }
EOC

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

for my $n (0 .. KTP::Cases::count() - 1) {
    my $row = KTP::Cases::row($n);

    $upstream->reset;
    KTP::Nginx::write_file($file, $row->{body});

    my ($status, $body) = post($row);

    is($status, $row->{status}, "$row->{name}: status");
    like($body, KTP::Cases::answer_like($row), "$row->{name}: body");
    is(scalar $upstream->calls, $row->{status} == 200 ? 1 : 0,
       "$row->{name}: calls of the upstream");
}

unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();


# Not by curl: 7.88 drops an answer that came before the body was sent, which
# RFC 9113, 8.1 allows.
sub post {
    my ($row) = @_;

    open my $in, '-|', 'nghttp', '-v', '-t', 20 * $KTP::Nginx::Slow,
        '-H', "content-type: $row->{type}", '-d', $file,
        "http://127.0.0.1:$port$row->{uri}"
        or die "nghttp: $!\n";
    binmode $in;

    local $/;
    my $trace = <$in> // '';
    close $in;

    my ($status) = $trace =~ /\) :status: (\d+)/;
    my ($body) = $trace =~ /(\{"message".*?\})\s*\[ +\d+\.\d+\] /s;

    return ($status // 0, $body // $trace);
}
