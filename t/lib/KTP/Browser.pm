package KTP::Browser;

# Debian's Chromium without a window, driven by its debugging protocol over
# two pipes: JSON messages, each ended by a zero byte.

use strict;
use warnings;

use IO::Select;
use JSON::PP ();
use KTP::Nginx;
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Time::HiRes qw(time);

my $Owner = $$;
my %Running;

my $Faults = <<'EOJ';
((least) => {
  const faults = [];
  const parse = (text) => text.match(/[\d.]+/g).map(Number);

  const light = (rgb) => rgb.slice(0, 3).map((n) => {
    n /= 255;
    return n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);

  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const rgb = parse(getComputedStyle(node).backgroundColor);

      if (rgb.length === 3 || rgb[3] === 1) {
        return rgb;
      }
    }

    return [255, 255, 255];
  };

  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((m, n) => n - m);

    return (x + 0.05) / (y + 0.05);
  };

  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;

  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;

    if (!walk.currentNode.data.trim() || !node.checkVisibility()
        || node.matches('script, style')) {
      continue;
    }

    const ratio = contrast(parse(getComputedStyle(node).color), behind(node));

    texts++;

    if (ratio < 4.5) {
      faults.push('contrast ' + ratio.toFixed(1) + ': ' + node.textContent);
    }

    const box = node.getBoundingClientRect();

    if (box.right > innerWidth || box.left < 0
        || node.scrollWidth > node.clientWidth + 1 && node.clientWidth) {
      faults.push('cut off: ' + node.textContent);
    }
  }

  if (texts < least) {
    faults.push('only ' + texts + ' texts');
  }

  for (const bar of document.querySelectorAll('svg rect')) {
    if (contrast(parse(getComputedStyle(bar).fill), behind(bar)) < 3) {
      faults.push('contrast of a bar: ' + bar.getAttribute('class'));
    }
  }

  if (document.documentElement.scrollWidth > innerWidth) {
    faults.push('wider than ' + innerWidth + ': '
                + document.documentElement.scrollWidth);
  }

  const need = (selector, check, what) => {
    for (const node of document.querySelectorAll(selector)) {
      if (!check(node)) {
        faults.push(what + ': ' + node.outerHTML.slice(0, 80));
      }
    }
  };

  need('table', (n) => n.caption && n.caption.textContent, 'no caption');
  need('table', (n) => n.tHead && n.querySelector('tbody th'), 'no headings');
  need('th', (n) => n.scope, 'no scope');
  need('meter, svg', (n) => n.getAttribute('aria-label'), 'no label');
  need('svg', (n) => n.getAttribute('role') === 'img', 'no role');
  need('section', (n) => document.getElementById(
    n.getAttribute('aria-labelledby')), 'no name');
  need('button', (n) => n.textContent, 'no name');
  need('input:not([hidden])', (n) => n.labels.length === 1, 'no label');
  need('img', (n) => n.alt, 'no text');
  need('progress, [role=group]', (n) => n.ariaLabel || n.ariaLabelledByElements,
       'no name');
  need('[aria-describedby]', (n) => n.ariaDescribedByElements.length === 1,
       'no description');
  need('button, input:not([hidden])', (n) => !n.checkVisibility()
    || n.getBoundingClientRect().height >= 24, 'too small for a finger');
  need('html', (n) => n.lang && document.title, 'no title or language');
  need('[id]', (n) => document.querySelectorAll('#' + n.id).length === 1,
       'an id twice');

  return faults.join('; ');
})(LEAST)
EOJ

# what a reply may take; a machine that is busy starts Chromium slowly
our $Timeout = 60;


# A page of its own, with more switches of the command line; undef if there is
# no Chromium.
sub new {
    my ($class, @switches) = @_;

    return undef if system('chromium --version > /dev/null 2>&1') != 0;

    my $dir = KTP::Nginx::scratch_dir();

    pipe my $to_read, my $to_write or die "pipe: $!";
    pipe my $from_read, my $from_write or die "pipe: $!";

    my $pid = fork // die "fork: $!";

    unless ($pid) {
        # 3 and 4 may be ends of these pipes: they are moved out of the way
        my ($in, $out) = map { POSIX::dup2(fileno $_->[0], $_->[1]) }
                         [$to_read, 20], [$from_write, 21];

        POSIX::dup2($in, 3);
        POSIX::dup2($out, 4);
        POSIX::setpgid(0, 0);
        POSIX::close($_) for 20, 21;
        $ENV{HOME} = $dir;
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', "$dir/stderr";
        exec 'chromium', '--headless', '--no-sandbox', '--disable-gpu',
             '--lang=en-US', '--remote-debugging-pipe', @switches,
             "--user-data-dir=$dir/profile", 'about:blank' or POSIX::_exit(127);
    }

    close $_ for $to_read, $from_write;

    my $self = bless { pid => $pid, in => $from_read, out => $to_write,
                       dir => $dir, buffer => '', id => 0, events => [] },
               $class;

    $Running{$pid} = 1;

    my $target = $self->call('Target.createTarget', url => 'about:blank');

    $self->{session} = $self->call('Target.attachToTarget', flatten => \1,
        targetId => $target->{targetId})->{sessionId};
    $self->call("$_.enable") for qw(Page Runtime Log);

    return $self;
}


# Sends a command, and returns its result.
sub call {
    my ($self, $method, %params) = @_;

    my $id = ++$self->{id};
    my %command = (id => $id, method => $method, params => \%params);

    $command{sessionId} = $self->{session} if $self->{session};
    syswrite $self->{out}, JSON::PP->new->utf8->encode(\%command) . "\0";

    my $deadline = time() + $Timeout;

    while (my $message = $self->message($deadline - time())) {
        if (($message->{id} // 0) == $id) {
            die "$method: $message->{error}{message}\n" if $message->{error};
            return $message->{result};
        }

        push @{ $self->{events} }, $message if $message->{method};
    }

    die "chromium: no reply to $method\n"
        . KTP::Nginx::read_file("$self->{dir}/stderr");
}


# The next message, or undef when the time has passed.
sub message {
    my ($self, $seconds) = @_;

    my $select = IO::Select->new($self->{in});
    my $deadline = time() + $seconds;

    while (index($self->{buffer}, "\0") < 0) {
        my $left = $deadline - time();

        return undef if $left <= 0 || !$select->can_read($left);
        return undef
            unless sysread $self->{in}, $self->{buffer}, 65536,
                           length $self->{buffer};
    }

    my ($text, $rest) = split /\0/, $self->{buffer}, 2;

    $self->{buffer} = $rest;

    return JSON::PP->new->utf8->decode($text);
}


# The size of the page in CSS pixels, and whether dark colours are preferred.
sub look {
    my ($self, $width, $height, $dark) = @_;

    $self->call('Emulation.setDeviceMetricsOverride', width => $width,
                height => $height, deviceScaleFactor => 1, mobile => \0);
    $self->call('Emulation.setScrollbarsHidden', hidden => \1);
    $self->call('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme', value => $dark ? 'dark' : 'light' }]);
}


# Opens a page, and waits until it is loaded.
sub open {
    my ($self, $url) = @_;

    @{ $self->{events} } = ();
    $self->call('Page.navigate', url => $url);

    return KTP::Nginx::wait_for(sub {
        $self->evaluate('document.readyState') eq 'complete'
    }, $Timeout);
}


# The value of an expression, of which promises are awaited.
sub evaluate {
    my ($self, $expression) = @_;

    my $result = $self->call('Runtime.evaluate', expression => $expression,
                             returnByValue => \1, awaitPromise => \1);

    die "$expression: $result->{exceptionDetails}{exception}{description}\n"
        if $result->{exceptionDetails};

    return $result->{result}{value};
}


# Chooses a file for the input that a selector finds.
sub choose {
    my ($self, $selector, $file) = @_;

    my $root = $self->call('DOM.getDocument')->{root}{nodeId};
    my $node = $self->call('DOM.querySelector', nodeId => $root,
                           selector => $selector)->{nodeId};

    $self->call('DOM.setFileInputFiles', nodeId => $node, files => [$file]);
}


# Whether the page has a network, and how many bytes it sends in a second.
sub network {
    my ($self, $online, $upload) = @_;

    $self->call('Network.enable');
    $self->call('Network.emulateNetworkConditions',
                offline => $online ? \0 : \1, latency => 0,
                downloadThroughput => -1, uploadThroughput => $upload // -1);
}


# Presses a key by its name: Tab, Enter, Space.
sub key {
    my ($self, $name) = @_;

    my %code = (Tab => 9, Enter => 13, Space => 32);
    my %text = (Enter => "\r", Space => ' ');
    my %key = (key => $text{$name} && $name eq 'Space' ? ' ' : $name,
               code => $name, windowsVirtualKeyCode => $code{$name});

    $self->call('Input.dispatchKeyEvent', type => 'keyDown', %key,
                $text{$name} ? (text => $text{$name}) : ());
    $self->call('Input.dispatchKeyEvent', type => 'keyUp', %key);
}


# What the console of the page says: errors, and violations of its policy.
sub complaints {
    my ($self) = @_;

    $self->evaluate('0');

    return map {
        $_->{method} eq 'Log.entryAdded'
            ? "$_->{params}{entry}{level}: $_->{params}{entry}{text}"
        : $_->{method} eq 'Runtime.exceptionThrown'
            ? $_->{params}{exceptionDetails}{exception}{description}
            : ()
    } @{ $self->{events} };
}


# What is wrong with the page at its size and in its colours, which shows so
# many texts at least.
sub faults {
    my ($self, $least) = @_;

    return $self->evaluate($Faults =~ s/LEAST/$least/r);
}


# Writes a PNG file of the whole page.
sub shot {
    my ($self, $file) = @_;

    my $shot = $self->call('Page.captureScreenshot', format => 'png',
                           captureBeyondViewport => \1);

    KTP::Nginx::write_file($file, decode_base64($shot->{data}));
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    delete $Running{$pid};
    close $_ for $self->{in}, $self->{out};
    kill 'KILL', -$pid;
    waitpid $pid, 0;
}


sub DESTROY {
    my ($self) = @_;

    local $?;
    $self->stop if $$ == $Owner;
}


END {
    if ($$ == $Owner) {
        kill 'KILL', -$_ for keys %Running;
    }
}


1;
