# ktp_console: the page as it is sent, and what Chromium makes of it, of a
# gateway at work and of a busy day.  KTP_SHOTS=DIR keeps the screenshots.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_base64);
use JSON::PP ();
use KTP ();
use KTP::Browser;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $up = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $url = $up->url;
my $dir = KTP::Nginx::scratch_dir();
my $shots = $ENV{KTP_SHOTS} || $dir;
my $json = JSON::PP->new;
my $foreign = KTP::Nginx::free_port();

$nginx->start($nginx->config(main => KTP::load_module(), http => <<EOH,
    ktp_zone k:1m;
    ktp_answer_zone answers:1m;
    ktp_price 1500 IDR;
    ktp_client branch-office { quota 3/day; quota 1000/month; }
    ktp_client back-office { }
    server {
        listen 127.0.0.1:$foreign;
        location / {
            add_header Access-Control-Allow-Origin *;
            return 200 '{}';
        }
    }
EOH
                             server => <<EOC))
        location = /metrics { ktp_status; }
        location = /console { ktp_console; }
        location = /deep/console { ktp_console status=../metrics; }
        location = /escaped { ktp_console status=/metrics?a=1&b='2'; }
        location = /if { ktp_console status=/a; if (\$arg_a) { set \$b c; } }
        location = /lost { ktp_console status=nowhere; }
        location = /day { ktp_console status=/day.json; }
        location = /e {
            ktp_auth \$arg_c;
            ktp_pass $url/v2/ktp/extract;
            ktp_dedupe on;
            ktp_breaker failures=1 open=1h max=1h;
        }
EOC
    or BAIL_OUT($nginx->complaint);

my $base = 'http://127.0.0.1:' . $nginx->port;


# -- the page as it is sent

my $answer = KTP::Nginx::curl("$base/console");
my ($policy) = $answer->{head} =~ /^Content-Security-Policy: (.*?)\r$/m;
my ($style) = $answer->{body} =~ m{<style>(.*?)</style>}s;
my ($script) = $answer->{body} =~ m{<script>(.*?)</script>}s;

is($answer->{status}, 200, 'there is a page');
like($answer->{head}, qr{^Content-Type: text/html; charset=utf-8\r$}m, 'its type');
like($answer->{head}, qr/^Cache-Control: no-store\r$/m, 'it is not stored');
cmp_ok(length $answer->{body}, '<', 60 * 1024, 'its size');
is($policy, sprintf("default-src 'none'; script-src 'sha256-%s='; "
                    . "style-src 'sha256-%s='; img-src data:; "
                    . "connect-src 'self'; base-uri 'none'; "
                    . "form-action 'none'; frame-ancestors 'none'",
                    sha256_base64($script), sha256_base64($style)),
   'its policy names the script and the style');
is(join(' ', grep { !m{^http://www\.w3\.org/2000/svg} }
             $answer->{body} =~ m{(https?://\S+)}g), '', 'no foreign address');
is(join('', map { KTP::Nginx::read_file("src/gateway/console/console.$_") }
            'css', 'js'), $style . $script, 'style and script are those of the tree');
like($answer->{body}, qr/<meta name="ktp-status" content="metrics">/,
     'it has the address of the status page');
like(KTP::Nginx::curl("$base/deep/console")->{body},
     qr{<meta name="ktp-status" content="\.\./metrics">}, 'another one');
like(KTP::Nginx::curl("$base/escaped")->{body},
     qr{content="/metrics\?a=1&amp;b='2'">}, 'one to be escaped');

like(KTP::Nginx::curl("$base/if?a=1")->{body},
     qr{<meta name="ktp-status" content="/a">}, 'within "if"');

my $length = length $answer->{body};

like(KTP::Nginx::curl('-I', "$base/console")->{head},
     qr/^HTTP\S+ 200 .*^Content-Length: $length\r$/ms, 'HEAD');
is(KTP::Nginx::curl('-d', 'x', "$base/console")->{status}, 405, 'POST');


# -- in a browser

my $browser = KTP::Browser->new;

unless ($browser) {
    note 'no chromium';
    done_testing();
    exit;
}

# The text of an element, without what is not shown.
sub text {
    my ($id) = @_;

    return $browser->evaluate("document.getElementById('$id').innerText")
           =~ s/[\s\x{a0}]+/ /gr;
}

sub open_page {
    my ($path) = @_;

    ok($browser->open("$base$path"), "$path is opened");
    ok(KTP::Nginx::wait_for(sub {
        $browser->evaluate('!document.getElementById("main").hidden')
    }, 20), "$path has read the counters");
}

sub looks {
    my ($name) = @_;

    for my $width (320, 360, 1280) {
        for my $dark (0, 1) {
            my $kind = join '-', $name, $width, $dark ? 'dark' : 'light';

            $browser->look($width, 800, $dark);
            is($browser->faults(20), '', "$kind: nothing is wrong");
            $browser->shot("$shots/$kind.png");
            cmp_ok(-s "$shots/$kind.png", '>', 5000, "$kind: a picture");
        }
    }
}


# -- a gateway at work

my $n = 0;

sub post {
    my ($client, $answer, $height) = @_;

    KTP::Nginx::write_file("$dir/card.jpg", jpeg(800, $height || 600 + ++$n));
    $up->answer($answer ? KTP::Upstream::response(@$answer) : ());

    return KTP::Nginx::curl('-H', 'Content-Type: image/jpeg', '--data-binary',
                            "\@$dir/card.jpg", "$base/e?c=$client")->{status};
}

is(post('branch-office', undef, 1000), 200, 'a call');
is(post('branch-office', undef, 1000), 200, 'the same again');
is(post('branch-office'), 200, 'another');
is(post('back-office', ['400 No', '{"message":"x","error_code":"KTP_NOT_DETECTED"}']),
   400, 'a photo without a card');
is(post('nobody'), 403, 'an unknown client');
is(post('back-office', ['500 Oh', '{"message":"x"}']), 500, 'a failure');
is(post('back-office'), 503, 'the breaker is open');

ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::curl("$base/metrics")->{body} =~ /reason="breaker_open"\} 1$/m
}), 'they are counted');

$browser->look(1280, 800, 0);
open_page('/console');
is(join('; ', $browser->complaints), '', 'the browser complains of nothing');
like(text('money'), qr/Paid IDR 3,000 2 calls last \d+ min: 2 calls /, 'paid');
like(text('money'), qr/Saved, about IDR 1,500 1 call 1 replayed last/, 'saved');
like(text('money'), qr/Unknown until the invoice 2 calls up to about IDR 3,000/,
     'unknown');
like(text('money'), qr/Refused before a call 1 cost nothing/, 'refused');
like(text('clients'), qr/branch-office day: 2 of 3 month: 2 of 1,000 3 2 IDR 3,000/,
     'a client with quotas');
like(text('clients'), qr/back-office no quota, 2 calls this month 3 0 2 unknown/, 'one without');
like(text('clients'), qr/\(no client\) 1 0$/, 'requests of nobody');
like(text('breakers'), qr{$url/v2/ktp/extract open 1}, 'the breaker');
like(text('times'), qr/Upstream, since the start \d+\S* m?s/, 'latencies');
like(text('errors'), qr/breaker_open SERVICE_UNAVAILABLE 1 1/, 'errors by reason');
like(text('stored'), qr/Answers 3 .*Memory \d+ KB of 1 MB/, 'stored answers');
like(text('notes'), qr/^The breaker of \S+ is open\. 2 calls may be on the invoice/,
     'what to look at');
is($browser->evaluate('document.querySelectorAll("meter").length'), 3,
   'quotas and memory are drawn');
unlike(text('gauges'), qr/Fleet/, 'there is no fleet');
unlike($browser->evaluate('JSON.stringify(localStorage)'), qr/office|127\.0/,
       'the browser keeps no names');
looks('now');

# another script, a style, and another origin

is($browser->evaluate(<<'EOJ'), undef, 'another script is not run');
document.body.append(Object.assign(document.createElement('script'),
  { textContent: 'window.bad = 1' })), window.bad
EOJ
is($browser->evaluate("fetch('http://127.0.0.1:$foreign/')"
                      . '.then(() => "read", () => "refused")'), 'refused',
   'another origin is not read');

my $complaints = join "\n", $browser->complaints;

like($complaints, qr/inline script violates .*'script-src 'sha256-/, 'by its policy')
    or diag($complaints);
like($complaints, qr/"connect-src 'self'"/, 'and the other by it, too');

# a button, of which the second press reads at once

my $press = 'document.getElementById("pause").click()';

$browser->evaluate($press);
is(text('pause'), 'Resume', 'the page can be stopped');
is(post('branch-office'), 503, 'one more request');
ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::curl("$base/metrics")->{body} =~ /reason="breaker_open"\} 2$/m
}), 'is counted');
$browser->evaluate($press);
ok(KTP::Nginx::wait_for(sub { text('errors') =~ /breaker_open \S+ 2 2/ }),
   'and goes on');

# there is no status page

$browser->open("$base/lost");
ok(KTP::Nginx::wait_for(sub {
    text('notes') =~ m{cannot be read from /nowhere: status 404}
}), 'a status page that is not there');


# -- a busy day, of which the browser has the last hour

my $now = time;
my $status = $json->decode(KTP::Nginx::curl("$base/metrics?format=json")->{body});
my $bounds = [map { $_->{le} } grep { ($_->{sample} // '') eq 'bucket' }
                               @{ $status->{ktp_upstream_duration_seconds} }];
my @shape = (0, 0, 0, 2, 8, 30, 45, 12, 2, 1, 0, 0, 0);
my %clients = ('branch-office' => 9000, 'mobile-app-of-the-north' => 4100,
               'constructor' => 800, '__proto__' => 750, '<i>' => 3,
               'back-office' => 700, 'a-client-with-a-name-of-forty-characters' => 5);

sub busy {
    my $sum = 0;
    my @upstream = map { { sample => 'bucket', le => $bounds->[$_],
                           value => $sum += 100 * $shape[$_] } } 0 .. $#shape;

    return {
        %$status,
        ktp_start_time_seconds => [{ value => $now - 86400 }],
        ktp_requests_total => [map { { client => $_, outcome => 'ok',
                error_code => '', value => int 1.2 * $clients{$_} },
            { client => $_, outcome => 'rejected', error_code => 'X',
              value => int $clients{$_} / 10 } } sort keys %clients],
        ktp_billed_calls_total => [map { { client => $_, outcome => 'ok',
                value => $clients{$_} }, { client => $_, outcome => 'bad_quality',
                value => int $clients{$_} / 40 } } sort keys %clients],
        ktp_cost_total => [map { { client => $_, currency => 'IDR',
            value => 1500 * int 1.025 * $clients{$_} } } sort keys %clients],
        ktp_billable_calls_total => [{ client => 'back-office',
            billed => 'unknown', value => 14 }],
        ktp_saved_calls_total => [
            { client => 'branch-office', reason => 'replayed', value => 1800 },
            { client => 'branch-office', reason => 'joined', value => 240 },
            { client => 'back-office', reason => 'first', value => 20 }],
        ktp_client_quota_limit_calls => [
            { client => 'branch-office', period => 'day', value => 10000 },
            { client => 'branch-office', period => 'month', value => 400000 },
            { client => 'mobile-app-of-the-north', period => 'day', value => 4200 },
            { client => 'back-office', period => 'total', value => 0 }],
        ktp_client_quota_used_calls => [
            { client => 'branch-office', period => 'day', value => 9000 },
            { client => 'branch-office', period => 'month', value => 120000 },
            { client => 'mobile-app-of-the-north', period => 'day', value => 4100 },
            { client => 'back-office', period => 'total', value => 0 }],
        ktp_breaker_state => [
            { upstream => 'https://api.example.com/v2/ktp/extract', value => 0 },
            { upstream => 'https://spare.example.com/v2/ktp/extract', value => 1 },
            { upstream => 'unix:/run/ktp-extractd.sock:/v2/ktp/extract', value => 2 }],
        ktp_breaker_opened_total => [
            { upstream => 'unix:/run/ktp-extractd.sock:/v2/ktp/extract', value => 7 }],
        ktp_upstream_duration_seconds => \@upstream,
        ktp_request_duration_seconds => \@upstream,
        ktp_errors_total => [
            { error_code => 'INVALID_PAYLOAD_IMAGE_SIZE', reason => 'image_too_small', value => 410 },
            { error_code => 'SERVICE_UNAVAILABLE', reason => 'breaker_open', value => 31 },
            { error_code => 'KTP_NOT_DETECTED', reason => 'no_card', value => 1202 }],
        ktp_state_failing => [{ value => 1 }],
        ktp_fleet_up => [{ value => 0 }],
        ktp_client_lease_held_calls => [
            { client => 'branch-office', period => 'day', value => 850 }],
    };
}

my $busy = busy();
my ($of_use, $vain) = (0, 0);

for (@{ $busy->{ktp_billed_calls_total} }) {
    ($_->{outcome} eq 'ok' ? $of_use : $vain) += $_->{value};
}

KTP::Nginx::write_file("$prefix/html/day.json", $json->encode($busy));

# the points that a page would have kept, half a minute apart, with a gap

my @points = map {
    my $left = $_;
    my $share = sub { int $_[0] - ($left + 6 * sin $left / 9) * $_[1] };

    {
        t => $now - 30 * $left, start => $now - 86400,
        calls => [$share->($of_use, 3), $share->($vain, 0.3), 14 - int $left / 40,
                  $share->(2060, 0.9)],
        cost => { IDR => 1500 * $share->($of_use + $vain, 3) }, refused => $share->(1380, 1),
        errors => { image_too_small => $share->(410, 1), no_card => 1202,
                    breaker_open => $left > 20 ? 0 : 31 - $left },
        upstream => [map { $share->(100 * $_, $_ / 40) } @shape],
        request => [map { $share->(100 * $_, $_ / 40) } @shape],
    }
} grep { $_ < 30 || $_ > 50 } reverse 1 .. 118;

$browser->evaluate('localStorage.setItem("ktp-console 1 /day.json", '
                   . $json->encode([$json->allow_nonref->encode(\@points)])
                   . '[0])');
$browser->look(1280, 800, 0);
open_page('/day');
is(join('; ', $browser->complaints), '', 'the browser complains of nothing');
like(text('money'), qr/last 59 min: \d\d\d calls/, 'the hour that was kept');
like(text('money'), qr/1,800 replayed, 240 joined, 20 read locally/, 'why');
like(text('clients'),
     qr/day: 9,000 of 10,000 of the fleet, 850 leased month: 120,000 of 400,000 /,
     'a quota of the fleet, and one of the host');
like(text('gauges'), qr/Workers \d+ Fleet down$/, 'the fleet');
like(text('notes'), qr/Redis of the fleet cannot be reached/, 'is to be looked at');
like(text('clients'), qr/constructor 1,040 820 IDR/, 'a client with this name');
like(text('clients'), qr/__proto__ 975 768 IDR/, 'and this');
like(text('clients'), qr/<i> 3 3 /, 'and this');
like(text('breakers'), qr/extract closed 0 .* half-open 0 .* open 7/, 'three states');
like(text('errors'), qr/breaker_open.* 31 31 no_card KTP_NOT_DETECTED 0 1,202/,
     'errors, the newest first');
like(text('notes'), qr/mobile-app-of-the-north has used 4,100 of 4,200 calls/,
     'a quota that is nearly used');
like(text('notes'), qr/The state file cannot be written/, 'the state file');

my $bars = $browser->evaluate(
    'document.querySelectorAll("#chart-calls rect.good").length');

cmp_ok($bars, '>=', 57, 'a bar for each minute');
cmp_ok($bars, '<=', 60, 'and no more');
like($browser->evaluate('document.querySelector("#chart-times svg")'
                        . '.getAttribute("aria-label")'),
     qr/, the last hour: [\d.,]+ m?s over it$/, 'in words as well');
looks('day');

# points older than an hour, and of another start, are not used

$browser->evaluate('localStorage.setItem("ktp-console 1 /day.json", JSON.stringify('
    . 'JSON.parse(localStorage.getItem("ktp-console 1 /day.json")).map((p, i) => '
    . '({...p, ...(i % 2 ? {start: 1} : {t: p.t - 7200})}))))');
open_page('/day');
like(text('money'), qr/last 1 min: 0 calls/, 'only what is of this hour');

$browser->stop;
$nginx->stop;
done_testing();
