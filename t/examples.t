# Every file of conf-examples is a whole configuration: each is started, with
# ports and paths of the test, and answers at its ktp locations.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use File::Basename qw(basename);
use JSON::PP qw(decode_json);
use KTP ();
use KTP::Example qw(adapt);
use KTP::Extractd;
use KTP::Image;
use KTP::Nginx;
use KTP::Redis;
use KTP::Specimen;
use KTP::Upstream;
use Test::More;

my @files = glob 'conf-examples/*.conf';
my %format;

ok(@files > 0, 'there are examples');

for my $file (@files) {
    my $name = basename($file);
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $text = KTP::Nginx::read_file($file);
    my ($conf, $port) = adapt($text, $prefix);

    while ($text =~ /^( *log_format (\w+) .*?;)$/gms) {
        is($1, $format{$2} //= $1, "$name: $2 is the same everywhere");
    }

    ok($nginx->start($conf), "$name starts") or diag($nginx->complaint);

    my $log = $nginx->log_from
            . KTP::Nginx::read_file("$prefix/logs/stderr");
    unlike($log =~ s/\[warn\] .*, quotas start from zero$//mgr,
           qr/\[(?:warn|alert|crit|emerg)\]/, "$name: no warning");

    for my $uri (ktp_locations($conf)) {
        my $answer = KTP::Nginx::curl('-k', base($conf, $port) . $uri);

        like($answer->{body}, qr/^\{"message":"[^"]+","error_code":"/,
             "$name: $uri answers in the contract's shape");
    }

    $nginx->stop;
}

production();
browser();
page();
answerers();
fleet();
done_testing();


# production.conf with keys and an upstream of the test: an upload is paid for
# once, by each application, and what is stored of it can be erased.
sub production {
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $upstream = KTP::Upstream->new;
    my $url = $upstream->url;
    my ($conf, $port)
        = adapt(KTP::Nginx::read_file('conf-examples/production.conf'),
                $prefix);
    my ($local) = $conf =~ /listen (127\.0\.0\.1:\d+);/;
    my $hash = sha256_hex('key');

    is($conf =~ s/\b0{64}\b/$hash/g, 2, 'production.conf: two keys to be set');
    $conf =~ s{https://api\.verihubs\.com}{$url};
    ok($nginx->start($conf), 'it starts') or diag($nginx->complaint);

    KTP::Nginx::write_file("$prefix/card.jpg", jpeg(800, 600));
    KTP::Nginx::write_file("$prefix/other.jpg", jpeg(800, 601));

    my $send = sub {
        my ($client, $image, @headers) = @_;

        return KTP::Nginx::curl(
            '-k', (map { ('-H', $_) } "App-ID: $client", 'API-Key: key',
                         @headers),
            '-F', "image=\@$prefix/$image.jpg",
            "https://127.0.0.1:$port/v2/ktp/extract");
    };

    my $before = $send->('branch-office', 'card');
    my $again = $send->('branch-office', 'card');
    my $masked = $send->('back-office', 'card');

    like($before->{head}, qr/^X-KTP-Source: upstream\r$/m, 'an upload is a call');
    like($again->{head}, qr/^X-KTP-Source: replayed\r$/m, 'the same again is none');
    is($again->{body}, $before->{body}, 'and has the same answer');
    like($masked->{head}, qr/^X-KTP-Source: upstream\r$/m,
         'that of another application is its own');
    like($masked->{body}, qr/"nik":"\*{12}0001"/, 'with its mask');

    $send->('branch-office', 'other', 'Idempotency-Key: a');
    like($send->('branch-office', 'other', 'Idempotency-Key: a')->{head},
         qr/^Idempotency-Replayed: true\r$/m, 'keys are heeded');
    is($send->('branch-office', 'card', 'Idempotency-Key: a')->{status}, 422,
       'and belong to their request');
    is(scalar(() = $upstream->calls), 3, 'three calls in all');

    # a request is counted after its answer
    for (['ktp_cost_total{client="branch-office",currency="IDR"} 3000',
          'Prometheus has what was spent'],
         ['ktp_saved_calls_total{client="branch-office",reason="replayed"} 2',
          'and what was not']) {
        my ($line, $name) = @$_;

        ok(KTP::Nginx::wait_for(sub {
            KTP::Nginx::curl("http://$local/metrics")->{body} =~ /^\Q$line\E$/m
        }), $name);
    }

    like(KTP::Nginx::curl("http://$local/console")->{body},
         qr/<meta name="ktp-status" content="metrics">/, 'and a page has it');

    my $health = KTP::Nginx::curl("http://$local/health");

    is($health->{status}, 200, 'the gateway is healthy');
    like($health->{body}, qr/"upstream":"ok".*"breakers":\{"closed":2,/,
         'with breakers for the vendor and for the extractor');

    my @audit = lines($prefix, 'ktp-audit.log', 6);
    my @billing = lines($prefix, 'ktp-billing.log', 3);

    is(scalar @audit, 6, 'each request is in the audit log');
    is(scalar @billing, 3, 'each call is in the billing log');
    like($_->{reference_id}, qr/^[0-9a-f]{32}$/, 'with its reference_id')
        for @billing;

    # the data officer has the digest from the log

    like(KTP::Nginx::curl('-X', 'POST', "http://$local/forget?image_hmac="
                          . $audit[0]{image_hmac})->{body}, qr/"erased":2/,
         'what is stored of an image is erased');
    like($send->('branch-office', 'card')->{head},
         qr/^X-KTP-Source: upstream\r$/m, 'and is not there any more');
    $nginx->stop;
}


# browser.conf with an application and an upstream of the test: a user who is
# logged in gets tickets, and an upload needs one.
sub browser {
    my $application = KTP::Nginx->new;
    my $nginx = KTP::Nginx->new;
    my $upstream = KTP::Upstream->new;
    my $url = $upstream->url;
    my ($conf) = adapt(KTP::Nginx::read_file('conf-examples/browser.conf'),
                       $nginx->prefix);
    my ($app) = $conf =~ /server 127\.0\.0\.1:(\d+);/;
    my ($port) = $conf =~ /listen 127\.0\.0\.1:(\d+);/;

    ok($application->start($application->config(port => $app, root => 0,
                                                server => <<'EOC')), 'an application');
        location = /session {
            add_header X-KTP-Client web;
            if ($cookie_session != good) {
                return 401;
            }
            return 204;
        }
        location / { return 200 page; }
EOC
    $conf =~ s{https://api\.verihubs\.com}{$url};
    ok($nginx->start($conf), 'browser.conf starts') or diag($nginx->complaint);

    KTP::Nginx::write_file($nginx->prefix . '/card.jpg', jpeg(800, 600));

    my $ticket = sub {
        return KTP::Nginx::curl('-X', 'POST', '-H', "Cookie: session=$_[0]",
                                "http://127.0.0.1:$port/ktp/ticket");
    };
    my $send = sub {
        return KTP::Nginx::curl('-H', "Authorization: Bearer $_[0]", '-F',
                                'image=@' . $nginx->prefix . '/card.jpg',
                                "http://127.0.0.1:$port/ktp");
    };

    my $token = eval { decode_json($ticket->('good')->{body})->{ticket} } // '';

    like($send->($token)->{body}, qr/SPECIMEN/, 'an upload with a ticket');
    like($send->($token)->{body}, qr/"ticket_used"/, '... once');
    like($send->('x')->{body}, qr/"ticket_invalid"/, '... and not without');
    is($ticket->('bad')->{status}, 401, 'nobody else gets a ticket');
    is(KTP::Nginx::curl("http://127.0.0.1:$port/")->{body}, 'page',
       'pages are those of the application');
    like(KTP::Nginx::curl("http://127.0.0.1:$port/capture/")->{body},
         qr{ data-ticket="/ktp/ticket">}, 'the capture page gets tickets');
    is(KTP::Nginx::curl("http://127.0.0.1:$port/capture/ktp-capture.js")->{body},
       KTP::Nginx::read_file('www/ktp-capture.js'), '... and its script');

    my $got;
    ok((grep { ($got = $ticket->('good'))->{status} == 429 } 1 .. 20),
       'tickets are limited for each session');
    like($got->{body}, qr/"rate"/, '... in JSON');
    $_->stop for $nginx, $application;
}


# The commands of docs/once.md, word for word, with what they print.
sub page {
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $upstream = KTP::Upstream->new;
    my $url = $upstream->url;
    my $text = KTP::Nginx::read_file('docs/once.md');
    my ($conf, $port)
        = adapt(KTP::Nginx::read_file('conf-examples/production.conf'),
                $prefix);
    my ($local) = $conf =~ /listen (127\.0\.0\.1:\d+);/;
    my $hash = sha256_hex('KEY');

    $conf =~ s/\b0{64}\b/$hash/;
    $conf =~ s{https://api\.verihubs\.com}{$url};
    # long enough for three requests at a time
    $upstream->answer({ delay => 2 * $KTP::Nginx::Slow }, KTP::Upstream::response(
        '200 OK', $KTP::Upstream::Body));
    ok($nginx->start($conf), 'docs/once.md: nginx starts')
        or diag($nginx->complaint);

    my %height = (card => 600, other => 601, third => 602);

    KTP::Nginx::write_file("$prefix/$_.jpg", jpeg(800, $height{$_}))
        for keys %height;

    my ($file) = $text =~ /^    cat > shop\.curl <<'END'\n(.*?)^    END$/ms;
    KTP::Nginx::write_file("$prefix/shop.curl",
                           ($file =~ s/^    //mgr) . "insecure\n");

    my @commands = $text =~ /^    \$ (.*\n(?:    .*\n)*)/mg;

    cmp_ok(scalar @commands, '>', 5, 'it has commands');

    for (@commands) {
        my ($command, $want) = /^(.*?\n)(.*)/s;

        $command =~ s{https://ktp\.example\.com}{https://127.0.0.1:$port}g;
        $command =~ s{127\.0\.0\.1:8081}{$local}g;
        $want =~ s/^    //mg;

        my $got = qx{cd $prefix && $command};

        is($got =~ s/ +$//mgr =~ s/\n?\z/\n/r, $want, "docs/once.md: $command");
    }

    $nginx->stop;
}


# answerers.conf with ktp-extractd and a vendor of the test: cards are read by
# the vendor, pictures of anything else are not paid for, and when the vendor is
# down the extractor reads.
sub answerers {
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $vendor = KTP::Upstream->new;
    my $reader = KTP::Extractd->new('--workers', 1);
    my $socket = $reader->socket;
    my $url = $vendor->url;
    my ($conf, $port)
        = adapt(KTP::Nginx::read_file('conf-examples/answerers.conf'),
                $prefix);

    # a check may take its time on a busy machine
    $conf =~ s{timeout=1s}{timeout=1m}g;
    $conf =~ s{https://api\.verihubs\.com}{$url};
    $conf =~ s{https://api\.verihubs\.com}{http://127.0.0.1:1}g;
    $conf =~ s{unix:\S+?:}{unix:$socket:};
    $conf =~ s{(ktp_app_id +)local}{$1$KTP::Extractd::App_id};
    KTP::Nginx::write_file("$prefix/conf/secrets/ktp-extractd-key",
                           "$KTP::Extractd::Api_key\n");
    chmod 0755, $socket =~ s{/[^/]*$}{}r;
    chmod 0777, $socket;
    ok($nginx->start($conf), 'answerers.conf: nginx starts')
        or diag($nginx->complaint);

    my $send = sub {
        my ($uri, $image) = @_;

        KTP::Nginx::write_file("$prefix/image.jpg", $image);

        return KTP::Nginx::curl('-F', "image=\@$prefix/image.jpg",
                                "http://127.0.0.1:$port$uri");
    };
    my $counter = sub {
        my ($text) = @_;

        my $metrics = KTP::Nginx::curl("http://127.0.0.1:$port/metrics");

        return $metrics->{body} =~ /^\Q$text\E (\S+)$/m ? $1 : 0;
    };

    # poses of cards that can be read
    my @cards = map { (KTP::Specimen::draw(@$_))[0] } (
        [1], [2, '--rotate', 7, '--table', 'white'], [3, '--rotate', 90],
        [4, '--blur', 1.5, '--noise', 6], [5, '--dark', 0.5, '--tint', 0.8],
        [6, '--cover', 0.5, '--table', 'papers'],
        [7, '--yaw', 20, '--pitch', 12], [8, '--gray', '--quality', 40]);
    my @others = ((map { (KTP::Specimen::draw($_, '--page'))[0] } 1 .. 4),
                  jpeg(1000, 640));

    for my $i (0 .. $#cards) {
        my $answer = $send->('/ktp', $cards[$i]);

        is($answer->{status}, 200, "card $i is not refused");
        like($answer->{head}, qr/^X-KTP-Source: upstream\r$/m,
             'the vendor reads it');
    }

    for my $i (0 .. $#others) {
        my $answer = $send->('/ktp', $others[$i]);

        is($answer->{status}, 400, "picture $i is refused");
        is($answer->{body}, '{"message":"KTP not detected in the image",'
                            . '"error_code":"KTP_NOT_DETECTED"}',
           'in the shape of the contract');
        like($answer->{head}, qr/^X-KTP-Source: precheck\r$/m,
             'by the extractor');
    }

    is(scalar(() = $vendor->calls), @cards, 'a call for each card, and no more');
    ok(KTP::Nginx::wait_for(sub {
        $counter->('ktp_prechecks_total{result="passed"}') == @cards
        && $counter->('ktp_prechecks_total{result="refused"}') == @others
    }), 'checks are counted');
    like(($vendor->calls)[0]{head}, qr/^API-Key: secret\r$/m,
         'the vendor has its key');

    # the other two locations have a vendor that is down

    my ($card, $truth) = KTP::Specimen::draw(9);
    my $answer = $send->('/ktp/age', $card);

    is($answer->{status}, 200, 'three fields of a clear card');
    like($answer->{head}, qr/^X-KTP-Source: first\r$/m, 'are answered first');
    is_deeply(decode_json($answer->{body})->{data},
              { map { $_ => $truth->{$_} } qw(nik date_of_birth gender) },
              'as printed, and nothing beside them');

    $vendor->stop;
    $answer = $send->('/ktp', $card);
    is($answer->{status}, 200, 'a card while the vendor is down');
    like($answer->{head}, qr/^X-KTP-Source: fallback\r$/m,
         'is read by the extractor');
    is(decode_json($answer->{body})->{data}{$_}, $truth->{$_}, "... its $_")
        for sort keys %$truth;

    $reader->stop;
    is($send->('/ktp', $card)->{status}, 502, 'both are down');
    $nginx->stop;
}


# The lines of a log once there are that many.
sub lines {
    my ($prefix, $name, $n) = @_;

    my @lines;

    KTP::Nginx::wait_for(sub {
        @lines = split /\n/, KTP::Nginx::read_file("$prefix/logs/$name");
        @lines >= $n
    });

    return map { decode_json($_) } @lines;
}


sub base {
    my ($conf, $port) = @_;

    return $conf =~ /:$port ssl;/ ? "https://127.0.0.1:$port"
                                  : "http://127.0.0.1:$port";
}


sub ktp_locations {
    my ($text) = @_;

    my @uris;

    while ($text =~ m/location (?:= )?(\S+) \{([^{}]*)\}/g) {
        my ($uri, $body) = ($1, $2);

        push @uris, $uri if $uri !~ /^@/ && $body =~ /\bktp_pass\b/;
    }

    return @uris;
}


# fleet.conf on two hosts, with the user of Redis that it describes.
sub fleet {
    my ($acl) = KTP::Nginx::read_file('docs/fleet.md')
        =~ /^    user (ktp on .*)$/m;
    my $redis = KTP::Redis->new('--user',
                                split ' ', $acl =~ s/PASSWORD/secret/r);
    my $path = $redis->path;
    my $upstream = KTP::Upstream->new;
    my $url = $upstream->url;
    my @ports;
    my @hosts = map { KTP::Nginx->new } 1 .. 2;

    # for whichever user workers are of
    chmod 0755, $path =~ s{/[^/]*$}{}r;
    chmod 0777, $path;

    for my $nginx (@hosts) {
        my ($conf, $port)
            = adapt(KTP::Nginx::read_file('conf-examples/fleet.conf'),
                    $nginx->prefix);

        $conf =~ s{unix:\S+redis-server\.sock}{unix:$path host=host$port};
        $conf =~ s{https://api\.verihubs\.com}{$url};
        $conf =~ s{50000/month}{3/month};
        ok($nginx->start($conf), 'fleet.conf: a host starts')
            or diag($nginx->complaint);
        push @ports, $port;
    }

    my $image = $hosts[0]->prefix . '/image.jpg';
    my @got = map {
        my ($port, $width) = @$_;

        KTP::Nginx::write_file($image, jpeg($width, 600));
        KTP::Nginx::curl('-H', 'App-ID: branch-office',
                         '-H', 'API-Key: example-key-of-the-branch-office',
                         '-F', "image=\@$image",
                         "http://127.0.0.1:$port/v2/ktp/extract")->{status};
    } [$ports[0], 800], [$ports[1], 808], [$ports[0], 808], [$ports[0], 816],
      [$ports[1], 824];

    is("@got", '200 200 200 200 403', 'fleet.conf: one quota for both');
    is(scalar($upstream->calls), 3, 'fleet.conf: identical uploads, one call');
    $_->stop for @hosts;
}
