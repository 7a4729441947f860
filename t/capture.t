# The capture page: what it is made of, and what Chromium sends and shows of
# it, through the gateway.  KTP_SHOTS=DIR keeps the screenshots.

use strict;
use warnings;

use lib 't/lib';
use Cwd qw(getcwd);
use JSON::PP ();
use KTP ();
use KTP::Browser;
use KTP::Image;
use KTP::Nginx;
use KTP::Specimen;
use KTP::Upstream;
use MIME::Base64 qw(decode_base64 encode_base64);
use POSIX ();
use Test::More;

my $json = JSON::PP->new->canonical->allow_nonref;
my $up = KTP::Upstream->new;
my $plain = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $url = $up->url;
my $answers = $plain->url;
my $dir = KTP::Nginx::scratch_dir();
my $shots = $ENV{KTP_SHOTS} || $dir;
my $www = getcwd() . '/www';

# the locations of the examples, word for word
my ($with_ticket, $without) = map {
    my ($block) = KTP::Nginx::read_file("conf-examples/$_.conf")
        =~ m{^( +location /capture/ \{\n.*?^        \}\n)}ms;

    $block =~ s{/usr/share/ktp-capture}{$www}r
} qw(browser demo);

$without =~ s{/capture/}{/plain/};

$nginx->start($nginx->config(main => KTP::load_module(), http => <<EOH,
    ktp_zone k:1m;
    ktp_answer_zone answers:1m;
    ktp_client web { }
    log_format keys '\$uri \$status \$http_idempotency_key \$content_length'
                    ' \$content_type';
EOH
                             server => <<EOC, connections => 64))
        access_log logs/keys.log keys;
        $with_ticket
        $without
        set \$user web;
        if (-f $prefix/out) {
            set \$user '';
        }
        location = /ktp/ticket { ktp_auth \$user; ktp_ticket; }
        location = /ktp {
            ktp_auth ticket;
            ktp_idempotency on;
            ktp_pass $url/v2/ktp/extract;
        }
        location = /open {
            ktp_idempotency on;
            ktp_pass $url/v2/ktp/extract;
        }
        location = /any { proxy_pass $answers; }
        location = /cut { return 444; }
EOC
    or BAIL_OUT($nginx->complaint);

my $base = 'http://127.0.0.1:' . $nginx->port;


# -- the files

my %file = map { $_ => KTP::Nginx::read_file("www/$_") }
           qw(index.html ktp-capture.css ktp-capture.js);
my $size = 0;

$size += length for values %file;

is(join(' ', sort map { s{.*/}{}r } glob 'www/*'), join(' ', sort keys %file),
   'one page, one style, one script');
cmp_ok($size, '<=', 60_000, "their size: $size bytes");

for my $name (sort keys %file) {
    my $got = KTP::Nginx::curl("$base/capture/$name");

    unlike($file{$name}, qr{https?:|//[a-z]+\.|\bimport\b|\@import|\burl\(}i,
           "$name: no foreign address");
    unlike($file{$name}, qr{<style|style=|<script>|\bon\w+="|innerHTML|\beval\b},
           "$name: nothing that its policy forbids");
    is($got->{status}, 200, "$name is sent");
    like($got->{head}, qr/^Cache-Control: no-store\r$/m, '... not to be stored');
    like($got->{head}, qr/^Permissions-Policy: camera=\(self\)\r$/m,
         '... may use the camera');
    like($got->{head},
         qr/^Content-Security-Policy: default-src 'none'; script-src 'self'; /m,
         '... with its policy');
}

unlike($file{'ktp-capture.css'}, qr/animation|transition/, 'nothing moves');
like(KTP::Nginx::curl("$base/capture/")->{body},
     qr{data-upload="/ktp" data-ticket="/ktp/ticket">},
     'browser.conf: with tickets');
is(KTP::Nginx::curl("$base/plain/")->{body}, $file{'index.html'},
   'demo.conf: without');


# -- sentences, of which the script leaves out those of an earlier row

my %sentence;
my @rows;
my @table;

while ($file{'ktp-capture.js'}
       =~ /^  (\w+): \['(other|same|later|no)', '(.*?)',\s+'(.*?)'\],$/mg) {
    $sentence{$1} = { again => $2, id => $3, en => $4 };
}

push @rows, [split / /, $1]
    while $file{'ktp-capture.js'} =~ /^  '([1-5]\d\d \w+ \S+ \w+)',$/mg;

my %again = ('foto lain' => 'other', 'foto sama' => 'same', nanti => 'later',
             tidak => 'no');
my $page = KTP::Nginx::read_file('docs/pesan-kesalahan.md');

push @table, { status => $1, code => $2, reason => $3, id => $4,
               again => $again{$5} }
    while $page =~ /^\| (\d+) \| `(\w+)` \| (?:`(\w+)`|-) \| (.*?) \| ([a-z]+(?: [a-z]+)?)/mg;

sub find {
    my @want = @_;

    for my $n (2, 1, 0) {
        for my $row (@rows) {
            return $sentence{$row->[3]}
                unless grep { ($want[$_] // '') ne $row->[$_] } 0 .. $n;
        }
    }

    return undef;
}

cmp_ok(scalar @table, '>', 100, 'rows of docs/pesan-kesalahan.md are found');

for my $row (@table) {
    my $found = find(@$row{qw(status code reason)});

    is("$found->{again}: $found->{id}", "$row->{again}: $row->{id}",
       join ' ', $row->{status}, $row->{code}, $row->{reason} // '-');
}

is(join(' ', grep { my $name = $_; !grep { $_->[3] eq $name } @rows }
             sort keys %sentence), '', 'each sentence is used');
is(join(' ', grep { $sentence{$_}{en} !~ /^[A-Z].*\.\z/ } sort keys %sentence),
   '', 'each is there in English');

# fields of a card have a label, in their order

my @names = grep { !/^(?:reference_id|image_quality)$/ }
            KTP::Nginx::read_file('src/contract/answer/ktp_field.c')
            =~ /ktp_field_row\("(\w+)"\)/g;
my @labels = $file{'ktp-capture.js'} =~ /^    fields: \{\n(.*?)^    \},$/gms;

cmp_ok(scalar @names, '>', 15, 'fields are found');
is(scalar @labels, 2, 'and labels in two languages');
is(join(' ', /^ +(\w+): '.+',$/mg), join(' ', @names), '... of each field')
    for @labels;


# -- in a browser

my $browser = KTP::Browser->new;

unless ($browser) {
    note 'no chromium';
    done_testing();
    exit;
}

# The text of the page, of what is shown.
sub text {
    return $browser->evaluate('document.querySelector(".ktp-capture").innerText')
           =~ s/[\s\x{a0}]+/ /gr;
}

sub open_page {
    my ($path) = @_;

    ok($browser->open("$base$path"), "$path is opened");
}

# Waits for a step.
sub step {
    my ($step, $name) = @_;

    ok(KTP::Nginx::wait_for(sub {
        $browser->evaluate('document.querySelector(".ktp-capture").dataset.step')
            eq $step
    }, 20), $name) or diag(text());
}

# The names of the buttons of the step, but for those of languages.
sub buttons {
    return join ', ', @{ $browser->evaluate(<<'EOJ') };
[...document.querySelectorAll('.ktp-step button')].map((node) => node.innerText)
EOJ
}

sub press {
    my ($name) = @_;

    $browser->evaluate(sprintf <<'EOJ', $json->encode($name));
[...document.querySelectorAll('.ktp-capture button')].find(
  (node) => node.innerText.startsWith(%s)).click()
EOJ
}

sub choose {
    my ($name, $data) = @_;

    KTP::Nginx::write_file("$dir/$name", $data) if defined $data;
    $browser->choose('input[type=file]', "$dir/$name");
}

# Where the focus is, and whether that element is of the page.
sub focus {
    return $browser->evaluate('document.activeElement.innerText'
                              . ' || document.activeElement.id');
}

# Whether there is a photo at an address.
sub at {
    my ($src) = @_;

    return $browser->evaluate(sprintf <<'EOJ', $src);
new Promise((done) => {
  const image = new Image();

  image.onload = () => done('there');
  image.onerror = () => done('gone');
  image.src = '%s';
})
EOJ
}

# The uploads of the log: uri, status, key, length, type.  The page may have an
# answer before its line is there.
sub uploads {
    my ($uri) = @_;

    $nginx->settle;

    return map { [split / /] } grep { m{^$uri } }
           split /\n/, KTP::Nginx::read_file("$prefix/logs/keys.log");
}

my ($card, $truth) = KTP::Specimen::draw(3);


# The page as it looks, and what is wrong with it.
sub looks {
    my ($name, $texts) = @_;

    for my $width (320, 360, 768, 1280) {
        for my $dark (0, 1) {
            my $kind = join '-', 'capture', $name, $width, $dark ? 'dark' : 'light';

            $browser->look($width, 800, $dark);
            is($browser->faults($texts), '', "$kind: nothing is wrong");
            $browser->shot("$shots/$kind.png");
            cmp_ok(-s "$shots/$kind.png", '>', 3000, "$kind: a picture");
        }
    }

    $browser->look(360, 800, 0);
}


# -- a file, from the start to the fields

open_page('/capture/');
is(join('; ', $browser->complaints), '', 'the browser complains of nothing');
like(text(), qr/^Indonesia English Foto KTP Anda Letakkan KTP /, 'the start');
looks('start', 6);
press('English');
like(text(), qr/ A photo of your KTP Put the card on a flat surface/, 'in English');
is($browser->evaluate('document.querySelector("[data-ktp-capture]").lang'), 'en',
   '... as a screen reader is told');
press('Indonesia');

choose('card.jpg', $card);
step('check', 'a photo is chosen');
is(focus(), 'Periksa foto', 'the focus is on the heading');
is(buttons(), 'Gunakan foto ini, Ulangi', 'it can be used or not');

my $image = $browser->evaluate('(async () => {'
    . 'const image = document.querySelector("img"); await image.decode();'
    . 'return { w: image.naturalWidth, h: image.naturalHeight, alt: image.alt,'
    . ' src: image.src } })()');

looks('check', 5);
is(at($image->{src}), 'there', 'it has an address');
is("$image->{w}x$image->{h} $image->{alt}", '1600x1200 Foto yang akan dikirim',
   'it is shown');

$up->answer(KTP::Upstream::response('200 OK', $json->encode({
    message => 'Success', status_code => 'V-1',
    data => { %$truth, image_quality => { blur => \0 }, reference_id => '' } })));
press('Gunakan');
step('fields', 'it is sent');

my ($call) = $up->calls;
my $sent = $json->decode(KTP::Upstream::body_of($call));
my ($upload) = uploads('/ktp');

is(join(' ', sort keys %$sent), 'image', 'a call with the photo alone');
is($upload->[4], 'image/jpeg', 'of a JPEG file');
like($upload->[2], qr/^[0-9a-f]{32}$/, 'with a key');
is(at($image->{src}), 'gone', 'the photo does not stay');

my $fields = $browser->evaluate(<<'EOJ');
Object.fromEntries([...document.querySelectorAll('.ktp-field input')].map(
  (node) => [node.id.replace(/^ktp-\d+-/, ''), node.value]))
EOJ

is_deeply($fields, $truth, 'the fields are shown') or diag($json->encode($fields));



# -- fields to be corrected

sub type {
    my ($name, $value) = @_;

    $browser->evaluate(sprintf <<'EOJ', $json->encode($name), $json->encode($value));
(() => {
  const input = document.querySelector('input[id$="-' + %s + '"]');

  input.focus();
  input.value = %s;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  input.dispatchEvent(new Event('change', { bubbles: true }));
})()
EOJ
}

# What is said of a field.
sub doubt {
    my ($name) = @_;

    return $browser->evaluate("document.querySelector('[id\$=\"-$name-note\"]').innerText");
}

looks('fields', 20);
$browser->evaluate('window.got = [];'
    . 'addEventListener("ktp-fields", (e) => got.push(e.detail.fields))');
is($browser->evaluate('document.querySelectorAll("[aria-invalid=true]").length'), 0,
   'nothing is doubtful');
type('nik', '12345');
is(doubt('nik'), 'NIK terdiri dari 16 angka.', 'a short NIK');
press('English');
is(doubt('nik'), 'A NIK has 16 digits.', '... in English');
like(text(), qr/Date of birth \(DD-MM-YYYY\)/, 'labels, too');
press('Indonesia');
type('nik', $truth->{nik} =~ s/^(.{6})(..)/$1 . ($2 == 11 ? 12 : 11)/er);
is(doubt('nik'), 'NIK tidak cocok dengan tanggal lahir.', 'one of another day');
type('date_of_birth', '31-02-1980');
is(doubt('date_of_birth'), 'Tulis tanggal seperti 17-08-1945.', 'no date');
type('date_of_birth', '01-01-2999');
is(doubt('date_of_birth'), 'Tanggal ini belum tiba.', 'one that is to come');
type('full_name', 'NAMA LAIN');
press('Data sudah benar');
is(focus(), $browser->evaluate('document.querySelector("[aria-invalid=true]").id'),
   'a doubt is shown first');
is($browser->evaluate('got.length'), 0, '... and nothing given');
looks('doubts', 20);
press('Lanjutkan');
step('done', 'but it does not forbid');
looks('done', 4);
is_deeply($browser->evaluate('got'),
          [{ %$truth, full_name => 'NAMA LAIN', date_of_birth => '01-01-2999',
             nik => $truth->{nik} =~ s/^(.{6})(..)/$1 . ($2 == 11 ? 12 : 11)/er }],
          'the application has the fields');
unlike($browser->evaluate('document.body.innerHTML'), qr/NAMA LAIN|<img|blob:/,
       'the page has none any more');
press('Foto KTP lain');
step('start', 'another card');


# -- files of each kind

# Chooses a file, sends it, and returns the JPEG file of the call.
sub send_file {
    my ($name, $data) = @_;

    $up->reset;
    choose($name, $data);
    step('check', "$name: is shown");
    press('Gunakan');
    step('fields', '... is sent');
    press('Ulangi');
    step('start', '... and again');

    my ($call) = $up->calls;

    return decode_base64($json->decode(KTP::Upstream::body_of($call))->{image});
}

# The segments of a JPEG file up to the first scan: [marker, data].
sub segments {
    my ($jpeg) = @_;

    my @segments;
    my $at = 2;

    die "no JPEG file\n" if $jpeg !~ /\A\xff\xd8/;

    while ($at < length $jpeg) {
        my ($ff, $marker, $length) = unpack 'CCn', substr $jpeg, $at, 4;

        last if $ff != 0xff || $marker == 0xda;
        push @segments, [$marker, substr $jpeg, $at + 4, $length - 2];
        $at += 2 + $length;
    }

    return @segments;
}

sub dimensions {
    my ($frame) = grep { $_->[0] == 0xc0 || $_->[0] == 0xc2 } segments($_[0]);

    return join 'x', reverse unpack 'x n n', $frame->[1];
}

# Orientation 6: the camera was held upright; and where that was.
my $exif = "Exif\0\0II*\0" . pack('V', 8)
         . pack('v', 3)
         . pack('vvVV', 0x0112, 3, 1, 6)
         . pack('vvVV', 0x010f, 2, 9, 50)
         . pack('vvVV', 0x8825, 4, 1, 60)
         . pack('V', 0) . "CAMERA-9\0\0"
         . pack('v', 3)
         . pack('vvVa4', 1, 2, 2, 'S')
         . pack('vvVV', 2, 5, 3, 102)
         . pack('vvVa4', 3, 2, 2, 'E')
         . pack('V', 0) . pack('V6', 6, 1, 12, 1, 3456, 100);
my $with_exif = substr($card, 0, 2) . KTP::Image::segment(0xe1, $exif)
              . substr($card, 2);

like($with_exif, qr/CAMERA-9.*\x25\x88|\x25\x88.*CAMERA-9/s, 'a photo with EXIF');

my $got = send_file('exif.jpg', $with_exif);

is(dimensions($got), '1200x1600', 'it is upright');
unlike($got, qr/Exif|CAMERA|\x25\x88\x04\0/, '... without EXIF and GPS');
is(join(' ', map { $_->[1] =~ /^(\w+)/ } grep { $_->[0] >= 0xe0 } segments($got)),
   'JFIF ICC_PROFILE', '... or any other metadata');

# 12 million pixels, of a busy table and with the noise of a sensor

my ($large) = KTP::Specimen::draw(4, '--size', '4000x3000', '--noise', 8,
                                  '--table', 'papers', '--quality', 95);

cmp_ok(length $large, '>', 3_000_000, 'a photo of ' . length($large) . ' bytes');
$got = send_file('large.jpg', $large);
is(dimensions($got), '2000x1500', 'it becomes smaller');
cmp_ok(length $got, '<=', 500_000, '... to ' . length($got) . ' bytes');
cmp_ok(length $got, '>', 100_000, '... but not to nothing');

my ($as_png) = KTP::Specimen::draw(5, '--png', '--size', '1000x750');
my $as_webp = decode_base64($browser->evaluate(<<'EOJ' =~ s/CARD/encode_base64($as_png, '')/er));
(async () => {
  const image = new Image();

  image.src = URL.createObjectURL(new Blob([Uint8Array.from(
    atob('CARD'), (c) => c.charCodeAt(0))]));
  await image.decode();

  const canvas = Object.assign(document.createElement('canvas'),
                               { width: 1000, height: 750 });

  canvas.getContext('2d').drawImage(image, 0, 0);

  return canvas.toDataURL('image/webp').split(',')[1];
})()
EOJ

like($as_webp, qr/\ARIFF....WEBP/s, 'a WebP file');
is(dimensions(send_file('card.webp', $as_webp)), '1000x750', '... becomes JPEG');
is(dimensions(send_file('card.png', $as_png)), '1000x750', '... PNG, too');

# what the browser cannot decode

for my $row (['card.heic', "\0\0\0\x18ftypheic\0\0\0\0mif1heic" . 'x' x 500, 'heic'],
             ['card.heif', "\0\0\0\x18ftypmif1\0\0\0\0mif1miaf" . 'x' x 500, 'heic'],
             ['card.pdf', "%PDF-1.7\n" . 'x' x 500, 'pdf'],
             ['card.tif', "II*\0" . 'x' x 500, 'tiff'],
             ['card.jpg', substr($card, 0, 100), 'damaged'],
             ['card.txt', 'x' x 500, 'alien'],
             ['empty.jpg', '', 'none']) {
    my ($name, $data, $sentence) = @$row;

    $up->reset;
    choose($name, $data);
    step('error', "$name: cannot be used");
    like(text(), qr/\Q$sentence{$sentence}{id}\E/, '... in words');
    is(buttons(), 'Gunakan foto lain', '... another one can');
    press('Gunakan foto lain');
}

is(scalar(() = $up->calls), 0, 'nothing was sent');

# without tickets, and with those of the application

# Opens the page with other options, as of a team that embeds it.  Its clock
# stands still; go_by() has seconds pass.
sub mount {
    my ($options) = @_;

    open_page('/plain/');
    $browser->evaluate(<<"EOJ");
window.keys = [];

const set = XMLHttpRequest.prototype.setRequestHeader;

XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
  if (name === 'Idempotency-Key') {
    keys.push(value);
  }

  set.call(this, name, value);
};

window.time = Date.now();
Date.now = () => time;

window.own = document.createElement('div');
document.querySelector('[data-ktp-capture]').replaceWith(own);
window.capture = KtpCapture.mount(own, $options);
EOJ
}

sub go_by { $browser->evaluate("time += 1000 * $_[0]") }

mount("{ upload: '/open?validate_quality=true' }");
send_file('card.jpg', $card);
is(scalar(uploads('/open')), 1, 'without a ticket');
like(KTP::Upstream::body_of($up->calls), qr/"validate_quality":true/, '... with a flag');

# fields that the operator masks and removes, and those that were not read

$up->answer(KTP::Upstream::response('200 OK', $json->encode({
    message => 'ok', data => { nik => '************0001', blood_type => undef,
    date_of_birth => '11-07-1954', full_name => '<b>SPECIMEN</b>', other => 'x',
    image_quality => { blur => JSON::PP::true } } })));
choose('other.jpg', (KTP::Specimen::draw(6, '--size', '1000x750'))[0]);
step('check', 'a photo');
press('Gunakan');
step('fields', 'is not very clear');
like(text(), qr/^Indonesia English Periksa data Foto kurang jelas\. Periksa setiap isian\./,
     '... which is said');
is_deeply($browser->evaluate(<<'EOJ'), ['************0001', '<b>SPECIMEN</b>',
[...document.querySelectorAll('.ktp-field input')].map((node) => node.value)
EOJ
                                        '11-07-1954', ''], 'what there is is shown');
is($browser->evaluate('document.querySelectorAll("[aria-invalid=true]").length'), 0,
   '... and is not doubtful');

mount("{ upload: '/ktp', language: 'en', onFields: (fields) => { window.given = fields },"
      . " ticket: async () => (await (await fetch('/ktp/ticket',"
      . " { method: 'POST' })).json()).ticket }");
like(text(), qr/A photo of your KTP/, 'in the language of the page');
$up->reset;
choose('card.jpg', $card);
step('check', 'a photo');
press('Use this photo');
step('fields', 'with a ticket of the application');
press('The data is correct');
step('done', 'the fields');
is($browser->evaluate('given.full_name'), 'SPECIMEN', '... are given to it');
$browser->evaluate('capture.destroy()');
is($browser->evaluate('own.innerHTML'), '', 'it can be removed');

# a page that is left forgets the photo

mount("{ upload: '/open' }");
choose('card.jpg', $card);
step('check', 'a photo');

my $src = $browser->evaluate('document.querySelector("img").src');

$browser->evaluate('dispatchEvent(new Event("pagehide"))');
step('start', 'the page is left');
is(at($src), 'gone', '... and the photo is gone');


# -- by the keyboard alone

# Presses Tab until the focus is on something of this name, and Enter.
sub walk {
    my ($name, $key) = @_;

    for (1 .. 30) {
        $browser->key('Tab');
        last if focus() eq $name;
    }

    is(focus(), $name, "$name: is reached by Tab");
    is($browser->evaluate('getComputedStyle(document.activeElement).outlineStyle'),
       'solid', '... which is seen');
    $browser->key($key);
}

mount("{ upload: '/open' }");
walk('English', 'Space');
is(focus(), 'English', 'the language leaves the focus where it was');
walk('Choose a photo', 'Enter');
choose('card.jpg', $card);
step('check', 'a photo');
walk('Use this photo', 'Enter');
step('fields', 'it is sent');
is(focus(), 'Check the data', 'the focus is on the heading');
$browser->evaluate('window.given = 0; addEventListener("ktp-fields", () => given++)');
$browser->key('Tab');
like(focus(), qr/^ktp-\d+-nik$/, '... before the first field');
$browser->key('Enter');
step('done', 'Enter sends the form');
is($browser->evaluate('given'), 1, '... once');
walk('Another card', 'Space');
step('start', 'from the start');

# an application that has the focus keeps it

mount("{ upload: '/open' }");
$browser->evaluate('document.body.append(Object.assign('
    . 'document.createElement("input"), { id: "elsewhere" }))');
choose('card.jpg', $card);
step('check', 'a photo');
press('Gunakan');
$browser->evaluate('document.getElementById("elsewhere").focus()');
step('fields', 'while the user is elsewhere');
is(focus(), 'elsewhere', '... the focus stays there');


# -- errors: each row of docs/pesan-kesalahan.md

my $small = jpeg(800, 600);

# Sends a photo that gets a response, or another one.
sub send_photo {
    my ($status, $answer, @headers) = @_;

    $plain->answer(KTP::Upstream::response("$status X", ref $answer
        ? $json->encode($answer) : $answer, 'Content-Type: application/json',
        @headers)) if $status;
    choose('small.jpg', $small);
    KTP::Nginx::wait_for(sub { buttons() =~ /Gunakan foto ini/ }, 20);
    press('Gunakan foto ini');
}

my %buttons = (other => 'Gunakan foto lain',
               same  => 'Kirim ulang, Gunakan foto lain',
               later => 'Kirim ulang dalam 5 detik, Gunakan foto lain',
               no    => 'Kembali ke awal');

mount("{ upload: '/any' }");

for my $row (@table) {
    my $name = join ' ', $row->{status}, $row->{code}, $row->{reason} // '-';

    send_photo($row->{status}, {
        message => 'for developers', error_code => $row->{code},
        request_id => '0123456789abcdef',
        defined $row->{reason} ? (reason => $row->{reason}) : () });
    step('error', $name);

    my $want = "$row->{id} " . ($buttons{$row->{again}} =~ s/,//gr);

    is(text(), "Indonesia English Foto belum dapat dibaca $want"
               . ' Kode permintaan: 0123456789abcdef', "$name: in words")
        and is(buttons(), $buttons{$row->{again}}, "$name: and its buttons");
    press('English');
    like(text(), qr/\Q@{[find(@$row{qw(status code reason)})->{en}]}\E/,
         "$name: in English");
    press('Indonesia');
    press($row->{again} eq 'no' ? 'Kembali ke awal' : 'Gunakan foto lain');
    step('start', "$name: from the start");
}

for my $row (
    ['another reason', 400, { error_code => 'INVALID_PAYLOAD_IMAGE_SIZE', reason => 'x' },
     'large'],
    ['another code', 503, { error_code => 'X', reason => 'breaker_open' }, 'busy'],
    ['a page of a proxy', 502, '<html>', 'silent'],
    ['another status', 418, '{}', 'fault'],
    ['a status above those', 599, '[]', 'silent'],
    ['no answer in an answer', 200, '{"message":"ok"}', 'silent'],
    ['null', 200, 'null', 'silent'],
) {
    my ($name, $status, $answer, $sentence) = @$row;

    send_photo($status, $answer);
    step('error', $name);
    like(text(), qr/\Q$sentence{$sentence}{id}\E/, "$name: in words");
    press(buttons() =~ /(Gunakan foto lain|Kembali ke awal)/);
    step('start', "$name: from the start");
}

# a time to wait, in seconds or by a date, after which the same is sent

my @rate = (429, { error_code => 'TOO_MANY_REQUESTS', reason => 'rate' });

send_photo(@rate, 'Retry-After: 4000');
step('error', 'an hour and more');
is(buttons(), 'Kirim ulang dalam 67 menit, Gunakan foto lain', '... in minutes');
looks('later', 6);
press('Kirim ulang');
is(buttons(), 'Kirim ulang dalam 67 menit, Gunakan foto lain', '... cannot be pressed');
press('Gunakan foto lain');
send_photo(@rate, 'Retry-After: 36000');
step('error', 'ten hours');
is(buttons(), 'Kirim ulang dalam 10 jam, Gunakan foto lain', '... in hours');
press('Gunakan foto lain');

my $date = POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT',
                           gmtime 600 + $browser->evaluate('time') / 1000);

send_photo(@rate, "Retry-After: $date");
step('error', 'a date');
is(buttons(), 'Kirim ulang dalam 10 menit, Gunakan foto lain',
   '... is a time, too');
press('Gunakan foto lain');
$browser->evaluate('keys = []');
send_photo(@rate, 'Retry-After: 1');
step('error', 'a second');
go_by(1);
ok(KTP::Nginx::wait_for(sub { buttons() eq $buttons{same} }, 20), '... passes');
like(text(), qr/ Foto dapat dikirim ulang sekarang\. /, '... which is said');
send_again(@rate);
step('error', 'and once more');
is(buttons(), $buttons{later}, '... after five seconds');
go_by(5);
ok(KTP::Nginx::wait_for(sub { buttons() eq $buttons{same} }, 20), '... that pass');
send_again(@rate);
step('error', '... and once more');
is(buttons(), 'Kirim ulang dalam 10 detik, Gunakan foto lain', '... after ten');
is_deeply($browser->evaluate('[keys.length, new Set(keys).size]'), [3, 1],
          'all with the same key');

# The button for the same photo, with a response.
sub send_again {
    my ($status, $answer) = @_;

    $plain->answer(KTP::Upstream::response("$status X", $json->encode($answer)));
    press('Kirim ulang');
}


# -- networks

# The end of a connection, and of all of them.

mount("{ upload: '/cut' }");
send_photo();
step('error', 'a connection that is closed');
like(text(), qr/Koneksi terputus\. .* Kirim ulang Gunakan foto lain$/, '... in words');

mount("{ upload: '/ktp', ticket: '/ktp/ticket' }");
$up->reset;
$browser->network(0);
send_photo();
step('error', 'no network');
like(text(), qr/Tidak ada koneksi internet\. .* Kirim ulang Gunakan foto lain$/,
     '... in words');
looks('offline', 5);
$browser->network(1);
press('Kirim ulang');
step('fields', 'it is there again');
is(scalar(() = $up->calls), 1, 'a call');
press('Ulangi');

# the upload itself is lost: the ticket is there, then no network

$up->reset;
$browser->evaluate('keys = []; window.lost = 1');
$browser->evaluate(<<'EOJ');
const send = XMLHttpRequest.prototype.send;

XMLHttpRequest.prototype.send = function (body) {
  send.call(this, body);

  if (body && lost) {
    lost = 0;
    this.dispatchEvent(new Event('error'));
  }
};
EOJ
send_photo();
step('error', 'an answer that is lost');
press('Kirim ulang');
step('fields', 'is asked for again');
is_deeply($browser->evaluate('[keys.length, new Set(keys).size]'), [2, 1],
          '... with the same key');
is(scalar(() = $up->calls), 1, '... and is paid for once');

# a slow one, with progress, and a user who has enough

mount("{ upload: '/open' }");
$up->reset;
$browser->network(1, 40_000);
choose('large.jpg');
step('check', 'a large photo');
press('Gunakan');
ok(KTP::Nginx::wait_for(sub {
    my $part = $browser->evaluate('document.querySelector("progress").value');

    $part > 0.1 && $part < 1
}, 20), 'progress is shown');
press('Batalkan');
step('check', 'the upload is stopped');
like(text(), qr/ Pengiriman dibatalkan\. /, '... which is said');
$browser->network(1);
ok(KTP::Nginx::wait_for(sub { (uploads('/open'))[-1][1] == 400
                              || (uploads('/open'))[-1][1] == 499 }),
   '... for the gateway, too') or diag(join ' ', @{ (uploads('/open'))[-1] });
is(scalar(() = $up->calls), 0, '... and no call was made');
press('Gunakan');
step('fields', 'and goes on');
is_deeply($browser->evaluate('[keys.length, new Set(keys).size]'), [2, 1],
          '... with the same key');
press('Ulangi');

# an upstream that says nothing

mount("{ upload: '/open', timeout: 1 }");
$up->answer({ hang => 1 });
$browser->evaluate('keys = []');
send_photo();
step('error', 'no answer in time');
like(text(), qr/Layanan tidak memberi jawaban\. Periksa .* Kirim ulang Gunakan foto lain$/,
     '... in words');

# a call in progress: its text, and a user who has enough

mount("{ upload: '/open' }");
$up->reset;
$up->answer({ until => "$dir/go" }, KTP::Upstream::response('200 OK', $KTP::Upstream::Body));
send_photo();
ok(KTP::Nginx::wait_for(sub { text() =~ /Foto terkirim\. KTP sedang dibaca\./ }, 20),
   'the photo is read');
looks('sending', 4);
$up->wait_calls(1);
press('Batalkan');
step('check', 'the user stops it');
press('Gunakan');
$up->wait_calls(1);
KTP::Nginx::write_file("$dir/go", '');
step('fields', 'and sends it again');
is_deeply($browser->evaluate('[keys.length, new Set(keys).size]'), [2, 1],
          '... with the same key');


# -- errors of the gateway itself

mount("{ upload: '/ktp', ticket: '/ktp/ticket' }");
KTP::Nginx::write_file("$prefix/out", '');
send_photo();
step('error', 'nobody is logged in');
like(text(), qr/Sesi Anda telah berakhir\. .* Kembali ke awal Kode permintaan: \w+$/,
     '... in words');
unlink "$prefix/out";
press('Kembali ke awal');
$up->reset;
choose('tiny.jpg', jpeg(640, 480));
step('check', 'a tiny photo');
press('Gunakan');
step('error', '... is refused');
like(text(), qr/Foto terlalu kecil\. /, '... in words');
press('Gunakan foto lain');
is(scalar(() = $up->calls), 0, '... and costs nothing');
$up->answer(KTP::Upstream::response('400 No',
    '{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}'));
send_photo();
step('error', 'no card');
like(text(), qr/KTP tidak terlihat\. .* Gunakan foto lain(?: |$)/, '... in words');
press('Gunakan foto lain');
$up->answer(KTP::Upstream::response('503 No', '{"message":"busy"}',
                                    'Content-Type: application/json', 'Retry-After: 7'));
send_photo();
step('error', 'an upstream that is busy');
is(buttons(), 'Kirim ulang dalam 7 detik, Gunakan foto lain', '... says when');


# -- hints, each on cards drawn for it

open_page('/plain/');

# What is said of a picture of a camera.
sub hint {
    my ($data) = @_;

    return $browser->evaluate(sprintf <<'EOJ', encode_base64($data, ''));
(async () => {
  const image = new Image();

  image.src = URL.createObjectURL(new Blob([Uint8Array.from(
    atob('%s'), (c) => c.charCodeAt(0))]));
  await image.decode();

  return KtpCapture.judge(image, ...KtpCapture.view(
    image.naturalWidth, image.naturalHeight).card).hint;
})()
EOJ
}

my @tables = qw(wood plain dark white stone tiles papers);

for my $row (
    (map { ['good', '--table', $_] } @tables),
    ['good', '--noise', 8], ['good', '--rotate', 5], ['good', '--rotate', -5],
    ['good', '--size', '1000x750'], ['good', '--size', '1920x1080', '--cover', 0.66],
    ['good', '--dark', 0.5], ['good', '--blur', 1.5], ['good', '--cover', 0.8],
    ['good', '--tint', 1], ['good', '--tint', -1], ['good', '--secure', 0.8],
    ['good', '--yaw', 10, '--pitch', 8], ['good', '--glare', 0.03],
    (map { ['dark', '--dark', $_] } 0.3, 0.2, 0.1),
    ['dark', '--dark', 0.25, '--blur', 3], ['dark', '--dark', 0.3, '--cover', 0.5],
    (map { ['blur', '--blur', $_] } 3, 4, 6),
    ['blur', '--blur', 3, '--noise', 6], ['blur', '--blur', 4, '--dark', 0.5],
    ['blur', '--blur', 2.5, '--size', '1280x960'],
    (map { ['glare', '--glare', $_] } 0.07, 0.1, 0.15),
    ['glare', '--glare', 0.08, '--glare-x', 0.2, '--glare-edge', 10],
    (map { ['far', '--cover', $_] } 0.6, 0.5, 0.4, 0.2, 0.05),
    (map { ['far', '--cover', 0.5, '--table', $_] } qw(plain dark white stone)),
    ['far', '--cover', 0.5, '--blur', 2],
) {
    my ($want, @options) = @$row;
    my %seen;

    $seen{hint((KTP::Specimen::draw($_, @options))[0])}++ for 21, 22;
    is(join(' ', %seen), "$want 2", "@options: $want");
}

$browser->stop;


# -- the camera

# A browser with a camera that films a photo.
sub film {
    my ($photo, @switches) = @_;

    KTP::Nginx::write_file("$dir/film.mjpeg", $photo x 3);

    return KTP::Browser->new('--use-fake-device-for-media-stream',
                             "--use-file-for-fake-video-capture=$dir/film.mjpeg",
                             @switches);
}

# Whether the camera is on.
sub filming {
    return $browser->evaluate('tracks.some((track) => track.readyState === "live")');
}

# Opens the page, which keeps what it gets of the camera.
sub open_camera {
    open_page('/capture/');
    $browser->evaluate(<<'EOJ');
window.tracks = [];
window.asked = [];
window.steps = [];
window.said = [];

// what may have passed when it is asked for
const page = document.querySelector('.ktp-capture');

new MutationObserver(() => steps.push(page.dataset.step))
  .observe(page, { attributeFilter: ['data-step'] });
new MutationObserver(([change]) => said.push(change.target.textContent))
  .observe(page.querySelector('[role=status]'), { childList: true });

const media = navigator.mediaDevices;
const get = media.getUserMedia.bind(media);

media.getUserMedia = async (wanted) => {
  asked.push(wanted);

  const stream = await get(wanted);

  tracks.push(...stream.getTracks());

  return stream;
};
EOJ
    press('Buka kamera');
}

my $allowed = '--use-fake-ui-for-media-stream';
my ($scene, $scene_truth) = KTP::Specimen::draw(31, '--size', '1280x960');

$browser = film($scene, $allowed);
$up->reset;
open_camera();
step('check', 'a good photo is taken without a press');
ok(!filming(), '... and the camera is off');
is(focus(), 'Periksa foto', '... the focus is on the heading');
ok(!$browser->evaluate('asked.some((wanted) => wanted.audio)'), '... without sound');
$browser->evaluate('steps = [], said = []');
press('Ulangi');
ok(KTP::Nginx::wait_for(sub { $browser->evaluate('steps.join()') eq 'camera,check' }, 20),
   'another one is taken');
like($browser->evaluate('said.join()'), qr/Membuka kamera,.*Bagus\. Tahan sebentar\./,
     '... as is said');
press('Gunakan');
step('fields', '... is sent');
($call) = $up->calls;
$got = decode_base64($json->decode(KTP::Upstream::body_of($call))->{image});
is(dimensions($got), '1280x960', 'what the camera showed');
is(hint($got), 'good', '... in good quality');
$browser->stop;

# a photo that is not good is taken by the button only

$browser = film((KTP::Specimen::draw(32, '--size', '1280x960', '--dark', 0.2))[0],
                $allowed);
open_camera();
step('camera', 'in the dark');
ok(KTP::Nginx::wait_for(sub { text() =~ /Terlalu gelap\./ }, 20), '... it says so');
is($browser->evaluate('document.querySelector("[role=status]").textContent'),
   'Terlalu gelap. Cari tempat yang lebih terang.', '... to a screen reader, too');
looks('camera', 6);
is(join('; ', $browser->complaints), '', 'the browser complains of nothing');
press('Ambil foto');
step('check', '... but takes a photo');
ok(!filming(), '... and is off');

# left, hidden, and closed by the user

open_camera();
step('camera', 'the camera is on');
ok(filming(), '... and films');
press('Kembali');
step('start', 'back');
ok(!filming(), '... it is off');
press('Buka kamera');
step('camera', 'on again');
$browser->evaluate('Object.defineProperty(document, "hidden", { value: true });'
    . 'document.dispatchEvent(new Event("visibilitychange"))');
step('start', 'a hidden page');
ok(!filming(), '... turns it off');
like(text(), qr/Kamera dimatikan karena halaman ini ditinggalkan/, '... and says so');
looks('stopped', 6);
press('Buka kamera');
ok(KTP::Nginx::wait_for(sub {
    $browser->evaluate('tracks.length') == 3 && !filming()
}, 20), 'nor is it turned on for one');
step('start', '... from the start');
$browser->stop;

# 16:9, of which the middle is shown

$browser = film((KTP::Specimen::draw(33, '--size', '1280x720', '--cover', 0.66))[0],
                $allowed);
open_camera();
step('check', 'a wide picture');
is($browser->evaluate('(async () => { const image = document.querySelector("img");'
    . 'await image.decode(); return image.naturalWidth + "x" + image.naturalHeight })()'),
   '960x720', '... is cut to what was shown');
$browser->stop;

# a picture that the gateway would not take, and no camera to be used

$browser = film((KTP::Specimen::draw(34, '--size', '640x480'))[0], $allowed);
open_camera();
ok(KTP::Nginx::wait_for(sub { text() =~ /Gambar kamera ini terlalu kecil\./ }, 20),
   'a small picture is refused');
ok(!filming(), '... the camera is off');
is(buttons(), 'Buka kamera, Pilih foto', '... a file can be chosen');
$browser->stop;

$browser = film($scene, "$allowed=deny");
open_camera();
ok(KTP::Nginx::wait_for(sub { text() =~ /Kamera tidak diizinkan\./ }, 20),
   'the user does not allow it');
is(buttons(), 'Buka kamera, Pilih foto', '... a file can be chosen');
choose('card.jpg', $card);
step('check', '... and is taken');
$browser->stop;

$browser = KTP::Browser->new($allowed);
open_camera();
ok(KTP::Nginx::wait_for(sub { text() =~ /Kamera tidak dapat dibuka\./ }, 20),
   'there is no camera');

# no getUserMedia, as without TLS

$browser->call('Page.addScriptToEvaluateOnNewDocument', source =>
    'Object.defineProperty(navigator, "mediaDevices", { value: undefined })');
open_page('/capture/');
is(buttons(), 'Pilih foto', 'a browser that cannot film');

$browser->stop;
$nginx->stop;
done_testing();
