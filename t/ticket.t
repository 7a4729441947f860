# Upload tickets: "ktp_ticket" issues them, "ktp_auth ticket" takes each as
# often as it says, whichever worker it comes to.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use KTP ();
use KTP::Client;
use KTP::Error;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use MIME::Base64 qw(encode_base64url decode_base64url);
use Test::More;

my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $prefix = $nginx->prefix;
my $jpeg = jpeg(800, 600);
my %hash = map { $_ => sha256_hex("key-of-$_") } qw(one few slow off);
my @issued;
my $spread = KTP::Nginx::free_port(); # connections go to workers at random

# log_level: nginx's own debug lines have all header fields
sub conf {
    my (%opt) = @_;

    return $nginx->config(
        main => KTP::load_module(), master => 'on', workers => 2,
        log_level => 'info', http => <<"EOH", server => <<"EOC");
        ktp_zone z:@{[$opt{size} // '1m']};
        ktp_client one { key_sha256 $hash{one}; @{[$opt{one} // '']} }
        ktp_client few { key_sha256 $hash{few}; quota 1/total; mask nik=last:4; }
        ktp_client slow { key_sha256 $hash{slow}; rate 1/m; }
        @{[$opt{without_off} ? '' : "ktp_client off { key_sha256 $hash{off}; }"]}
        ktp_client keyless { }
        log_format f '\$uri \$status \$ktp_client \$ktp_error_reason \$pid';
        map \$http_x_name \$name { default \$http_x_name; }
EOH
        listen 127.0.0.1:$spread reuseport;
        access_log $prefix/logs/f.log f;
        ktp_cors https://app.example.id;
        location = /ticket { ktp_auth on; ktp_ticket; }
        location = /three { ktp_auth on; ktp_ticket uses=3 ttl=1h; }
        location = /short { ktp_auth on; ktp_ticket ttl=1s uses=1000; }
        location = /name { ktp_auth \$name; ktp_ticket; }
        location = /if {
            ktp_auth on;
            ktp_ticket uses=2;
            if (\$arg_a) { add_header X-If yes; }
        }
        location = /denied { deny all; ktp_auth on; ktp_ticket; }
        location = /anybody {
            satisfy any;
            allow all;
            ktp_auth on;
            ktp_ticket;
        }
        location = /e { ktp_auth ticket; ktp_pass $url/x; }
        location = /any {
            satisfy any;
            allow 127.0.0.1;
            ktp_auth ticket;
            ktp_pass $url/x;
        }
        location = /again {
            ktp_auth ticket;
            root $prefix/html;
            error_page 404 = \@again;
        }
        location \@again { ktp_auth ticket; ktp_pass $url/x; }
        location = /plain { ktp_auth ticket; }
        location = /key { ktp_auth on; ktp_pass $url/x; }
EOC
}

$nginx->start(conf()) or BAIL_OUT($nginx->complaint);

my $port = $nginx->port;

sub ask {
    my ($uri, $client, @headers) = @_;

    return post($port, $uri, '', defined $client ? ("App-ID: $client",
                "API-Key: key-of-$client") : (), @headers);
}

sub ticket {
    my ($uri, $client) = @_;

    my $got = ask($uri, $client // 'one');
    my $ticket = eval { decode_json($got->{body})->{ticket} }
        // BAIL_OUT("no ticket: $got->{head} $got->{body}");

    push @issued, $ticket;

    return $ticket;
}

sub upload {
    my ($ticket, $uri, @headers) = @_;

    return post($port, $uri // '/e', $jpeg, 'Content-Type: image/jpeg',
                defined $ticket ? "Authorization: Bearer $ticket" : (),
                @headers);
}

sub refused {
    my ($got, $reason, $name) = @_;

    is($got->{status}, 401, "$name: 401");
    like($got->{body}, KTP::Error::like('UNAUTHORIZED', $reason), "... $reason");
}

# -- issued

my $got = ask('/ticket', 'one');
my $answer = decode_json($got->{body});

is($got->{status}, 200, 'a ticket');
like($answer->{ticket}, qr/^[A-Za-z0-9_-]{80,}\z/, '... as a token');
is($answer->{expires_in}, 300, '... for five minutes');
is($answer->{uses}, 1, '... for one upload');
like($got->{head}, qr/^Cache-Control: no-store\r?$/m, '... for no cache');
like($got->{head}, qr{^Content-Type: application/json\r?$}m, '... in JSON');
isnt(ticket('/ticket'), ticket('/ticket'), 'another one each time');

$answer = decode_json(ask('/three', 'one')->{body});
is("$answer->{uses} $answer->{expires_in}", '3 3600', 'as the directive says');
is(decode_json(ask('/name', undef, 'X-Name: keyless')->{body})->{uses}, 1,
   'for a client that is known by name');
is(decode_json(ask('/if?a=1', 'one')->{body})->{uses}, 2, 'inside of "if"');

$got = ask('/ticket', undef);
refused($got, 'unauthorized', 'no key');
like($got->{head}, qr/^WWW-Authenticate: API-Key realm="ktp"\r?$/m,
     '... with its challenge');
refused(ask('/ticket', 'one', 'API-Key: b'), 'unauthorized', 'two keys');
is(ask('/name', undef, 'X-Name: nobody')->{status}, 403, 'an unknown name');
like(ask('/denied', 'one')->{body}, KTP::Error::like('FORBIDDEN', 'forbidden'),
     'errors of nginx are in JSON');
like(ask('/anybody', undef)->{body}, KTP::Error::like('FORBIDDEN', 'forbidden'),
     'nobody gets none');
like(ask('/anybody', 'one')->{body}, qr/"ticket"/, '... but who has a key does');

$got = KTP::Nginx::curl('-H', 'App-ID: one', '-H', 'API-Key: key-of-one',
                        "http://127.0.0.1:$port/ticket");
is($got->{status}, 405, 'GET');
like($got->{head}, qr/^Allow: POST\r?$/m, '... is not allowed');

# -- taken

my $ticket = ticket('/ticket');

$got = upload($ticket);
is($got->{status}, 200, 'an upload with a ticket');
unlike(($up->calls)[-1]{head}, qr/Authorization|Bearer|\Q$ticket\E/i,
       '... of which the upstream gets nothing');
is(scalar(() = $up->calls), 1, '... one call');

$got = upload($ticket);
refused($got, 'ticket_used', 'the same once more');
like($got->{head}, qr/^WWW-Authenticate: Bearer realm="ktp"\r?$/m,
     '... with its challenge');
is(scalar(() = $up->calls), 1, '... costs no call');

is(upload(undef, '/e', 'authorization: bEARER   ' . ticket('/ticket'))->{status},
   200, 'in another spelling');

$ticket = ticket('/ticket', 'one');
is(upload($ticket, '/e', 'App-ID: few', 'API-Key: wrong')->{status}, 200,
   'keys do not matter here');
refused(post($port, '/e', $jpeg, 'Content-Type: image/jpeg', 'App-ID: one',
             'API-Key: key-of-one'), 'ticket_invalid', 'a key is no ticket');
refused(upload(ticket('/ticket'), '/key'), 'unauthorized',
        'and a ticket is no key');

$ticket = ticket('/ticket');
is(post($port, '/e', 'x', 'Content-Type: image/jpeg',
        "Authorization: Bearer $ticket")->{status}, 400, 'an invalid photo');
refused(upload($ticket), 'ticket_used', '... takes a use');

is(KTP::Nginx::curl('-H', 'Authorization: Bearer ' . ticket('/ticket'),
                    "http://127.0.0.1:$port/plain")->{status}, 404,
   'a location without cards takes tickets too');
is(KTP::Nginx::curl("http://127.0.0.1:$port/plain")->{status}, 401,
   '... and nobody without');

$ticket = ticket('/ticket');
is(upload($ticket, '/again')->{status}, 200,
   'a location that error_page leads to takes no other use');
is(upload($ticket, '/again')->{status}, 401, '... but the one');

# -- exactly as often as it says, on any worker

for my $round (1 .. 5) {
    my $ticket = ticket('/three');
    my @calls = map { post_begin($spread, '/e', $jpeg, 'Content-Type: image/jpeg',
                                 "Authorization: Bearer $ticket") } 1 .. 12;

    # heads first, so that they come to the workers together
    syswrite $_->{sock}, substr $_->{out}, 0, 300, '' for @calls;

    my @status = map { answer_of($_)->{status} } @calls;

    is(scalar(grep { $_ == 200 } @status), 3, "round $round: three of twelve");
    is(scalar(grep { $_ == 401 } @status), 9, '... and no more');
}

my %pids = map { $_ => 1 }
           KTP::Nginx::read_file("$prefix/logs/f.log") =~ m{^/e .* (\d+)$}mg;
is(scalar keys %pids, 2, 'both workers had some');

# -- what is none

$ticket = ticket('/three');

my @alphabet = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_');
my %other = map { $alphabet[$_] => $alphabet[($_ + 1) % 64] } 0 .. 63;
my $accepted = 0;

for my $i (0 .. length($ticket) - 1) {
    my $forged = $ticket;

    substr($forged, $i, 1) = $other{substr $forged, $i, 1};
    $accepted++ if upload($forged)->{body} !~ /"ticket_invalid"/;
}

is($accepted, 0, 'a ticket with any character changed');

my $bytes = decode_base64url($ticket);

for my $case (['of another client', $bytes =~ s/one/few/r],
              ['with more uses', substr($bytes, 0, 9) . "\x03\xe8"
                                 . substr $bytes, 11],
              ['that ends later', "\x01" . "\x7f" x 8 . substr $bytes, 9],
              ['without a name', substr($bytes, 0, 27) . substr $bytes, -32],
              ['of zeroes', "\0" x length $bytes],
              ['that is cut off', substr $bytes, 0, -1],
              ['that is longer', $bytes . "\0"]) {
    refused(upload(encode_base64url($case->[1])), 'ticket_invalid', $case->[0]);
}

refused(upload($_), 'ticket_invalid', 'not as it was written: ' . substr $_, -4)
    for "$ticket=", "$ticket==", "$ticket.", "$ticket $ticket", "\"$ticket\"",
        '', ' ', 'x' x 4000;
refused(upload(undef), 'ticket_invalid', 'no ticket');
refused(upload(undef, '/e', "Authorization: $_ $ticket"), 'ticket_invalid',
        "the scheme $_") for qw(Basic Bearerx Bearer: Token);
# nginx refuses these, and logs them: hence no ticket
is(upload('x', '/e', 'Authorization: Bearer x')->{status}, 400, 'two fields');
is(upload($ticket)->{status}, 200, '... and it is still good');

# -- its time

$ticket = ticket('/short');
is(upload($ticket)->{status}, 200, 'a ticket for a second');
ok(KTP::Nginx::wait_for(sub {
    $got = upload($ticket);
    return $got->{status} != 200;
}), '... ends');
refused($got, 'ticket_expired', 'then');

# -- the client's limits

$got = upload(ticket('/ticket', 'few'));
like($got->{body}, qr/"nik":"\*{12}0001"/, 'masks of the client');
is(upload(ticket('/ticket', 'few'))->{status}, 403, 'its quota');
is(upload(ticket('/ticket', 'slow'))->{status}, 200, 'its rate');
is(upload(ticket('/ticket', 'slow'))->{status}, 429, '... once');

# -- "satisfy any": a ticket, if there is one, says whose request it is

is(upload(undef, '/any')->{status}, 200, 'let in by address');
is(upload('nonsense', '/any')->{status}, 200, '... with no ticket that holds');

$ticket = ticket('/ticket');
upload($ticket, '/any');
refused(upload($ticket), 'ticket_used', '... with one, which is used');

my @any;
KTP::Nginx::wait_for(sub {
    3 == (@any = KTP::Nginx::read_file("$prefix/logs/f.log") =~ m{^(/any .*)$}mg)
});
is_deeply([map { (split)[2] } @any], ['-', '-', 'one'], '... by its client');

# -- pages of another origin

my @page = ('Origin: https://app.example.id');

for my $uri ('/ticket', '/e') {
    $got = KTP::Nginx::curl('-X', 'OPTIONS', '-H', $page[0],
                            '-H', 'Access-Control-Request-Method: POST',
                            "http://127.0.0.1:$port$uri");
    is($got->{status}, 204, "$uri: a preflight request");
    like($got->{head}, qr/^Access-Control-Allow-Headers: .*Authorization/m,
         '... allows the ticket');
}

like(ask('/ticket', 'one', @page)->{head},
     qr{^Access-Control-Allow-Origin: https://app}m, 'a page reads its ticket');
like(ask('/ticket', undef, @page)->{head},
     qr{^Access-Control-Allow-Origin: https://app}m, '... or why there is none');
like(upload('x', '/e', @page)->{head},
     qr{^Access-Control-Allow-Origin: https://app}m, '... and is told so');

# -- a reload

my $used = ticket('/ticket');
my $kept = ticket('/ticket');
my $off = ticket('/ticket', 'off');
my $disabled = ticket('/ticket');

upload($used);
reload(conf());
is(upload($kept)->{status}, 200, 'a reload keeps tickets');
refused(upload($used), 'ticket_used', '... and what was used of them');

reload(conf(without_off => 1, one => 'disabled;'));
refused(upload($off), 'ticket_invalid', 'a client that is gone');
like(upload($disabled)->{body}, KTP::Error::like('FORBIDDEN', 'disabled'),
     'one that is disabled');
is(ask('/ticket', 'one')->{status}, 403, '... gets none');
reload(conf());
is(upload($disabled)->{status}, 200, '... later it may, the use is not gone');

# -- nothing of it in a log

my $log = $nginx->log_from . KTP::Nginx::read_file("$prefix/logs/f.log");

cmp_ok(scalar @issued, '>', 20, 'tickets were issued');
is(scalar(grep { index($log, substr $_, 0, 30) >= 0
                 || index($log, substr $_, -30) >= 0 } @issued), 0,
   'none is in a log');
like($log, qr/ticket is refused: ticket_used/, 'the reason is');
unlike($log, qr/\[(?:alert|crit|emerg)\]/, '... and no alert');

# -- a restart draws another key

$ticket = ticket('/three');
$nginx->stop;
$nginx->start(conf(size => '32k')) or BAIL_OUT($nginx->complaint);
refused(upload($ticket), 'ticket_invalid', 'a ticket of before a restart');

# -- a zone that is full of tickets

my $n = 0;

for (1 .. 1000) {
    $got = upload(ticket('/short'));
    last if $got->{status} == 503;
    $n++ if $got->{status} == 200;
}

cmp_ok($n, '>', 30, 'a small zone counts some');
is($got->{status}, 503, '... until it is full');
like($got->{body}, KTP::Error::like('SERVICE_UNAVAILABLE', 'busy'),
     '... which is no fault of the ticket');
like($got->{head}, qr/^Retry-After: 2\r?$/m, '... and passes');
ok($nginx->wait_log(qr/"z" has no room for another ticket/), '... as is logged');
ok(KTP::Nginx::wait_for(sub { upload(ticket('/short'))->{status} == 200 }, 15),
   'when tickets have ended there is room again');
is(upload(ticket('/ticket'))->{status}, 200, '... for others as well');
$nginx->stop;

# -- configurations that do not start

for my $case (
    ['ktp_zone z:1m; ktp_client a { }', 'location /t { ktp_ticket; }',
     '"ktp_ticket" in location "/t" requires "ktp_auth on", or "ktp_auth" '
     . 'with a variable'],
    ['ktp_zone z:1m; ktp_client a { }',
     'location /t { ktp_auth ticket; ktp_ticket; }', '"ktp_ticket" in location'],
    ['ktp_client a { }', 'location /t { ktp_auth $uri; ktp_ticket; }',
     '"ktp_ticket" requires "ktp_zone"'],
    ['ktp_zone z:1m; ktp_client a { }',
     "location /e { ktp_auth ticket; ktp_pass $url/x; }",
     '"ktp_auth ticket" requires "ktp_ticket"'],
    ['ktp_zone z:1m; ktp_client a { }',
     "location /t { ktp_auth \$uri; ktp_pass $url/x; ktp_ticket; }",
     '"ktp_ticket" and "ktp_pass" cannot be in the same location "/t"'],
    ['ktp_zone z:1m; ktp_client a { }',
     'location /t { ktp_auth $uri; ktp_ticket; ktp_ticket; }',
     '"ktp_ticket" directive is duplicate'],
) {
    my ($http, $server, $message) = @$case;
    my ($status, $said) = $nginx->test($nginx->config(
        main => KTP::load_module(), http => $http, server => $server));

    isnt($status, 0, "$server: does not start");
    like($said, qr/\[emerg\] \Q$message\E/, "... $message");
}

done_testing();


# New workers are there when the old ones are gone.
sub reload {
    my ($conf) = @_;

    my %old = map { $_ => 1 } $nginx->workers;

    KTP::Nginx::write_file("$prefix/conf/nginx.conf", $conf);
    $nginx->signal('HUP');
    KTP::Nginx::wait_for(sub {
        my @now = $nginx->workers;

        return @now == 2 && !grep { $old{$_} } @now;
    }, 20) or BAIL_OUT('no reload');
}
