'use strict';

// KtpCapture: takes or chooses a photo of an identity card, makes it small,
// sends it to the gateway, and lets the user correct the fields.  It is
// described in docs/capture.md.

window.KtpCapture = (() => {

// What is sent: a JPEG file of this many pixels and bytes at most.
const side = 2000;
const bytes = 500 * 1000;

// The smallest picture that the gateway takes, unless configured otherwise.
const least = { long: 720, short: 480 };

// The card in the picture of the camera, which is shown in the form 4:3.
const stage = 4 / 3;
const card = { width: 0.88, height: 0.88 * stage * 54 / 85.6 };

// A frame is judged every so many milliseconds; after so many good ones in
// succession the photo is taken.
const every = 250;
const enough = 6;

// What is asked of a frame, see docs/capture.md.
const dark = 80;      // grey level, of 255, of the paper
const burnt = 0.015;  // share of the card that is white beyond measure
const sharp = 0.45;   // share of an edge's step that is made within a pixel
const spread = 0.68;  // share of the frame's width that has text


// -- texts

const words = {
  id: {
    language: 'Bahasa',
    startTitle: 'Foto KTP Anda',
    startText: 'Letakkan KTP di permukaan datar yang terang. Seluruh kartu '
      + 'harus terlihat, tanpa pantulan cahaya.',
    startSmall: 'Foto diperkecil di perangkat ini sebelum dikirim, dan tidak '
      + 'disimpan di halaman ini.',
    camera: 'Buka kamera',
    file: 'Pilih foto',
    opening: 'Membuka kamera',
    cameraTitle: 'Arahkan kamera ke KTP',
    cameraView: 'Gambar kamera',
    shoot: 'Ambil foto',
    back: 'Kembali',
    far: 'Dekatkan kamera hingga KTP memenuhi bingkai.',
    dark: 'Terlalu gelap. Cari tempat yang lebih terang.',
    glare: 'Ada pantulan cahaya. Miringkan KTP sedikit.',
    blur: 'Gambar kabur. Tahan kamera agar tidak bergerak.',
    good: 'Bagus. Tahan sebentar.',
    denied: 'Kamera tidak diizinkan. Izinkan di pengaturan browser, atau pilih foto.',
    noCamera: 'Kamera tidak dapat dibuka. Silakan pilih foto.',
    smallCamera: 'Gambar kamera ini terlalu kecil. Silakan pilih foto.',
    stopped: 'Kamera dimatikan karena halaman ini ditinggalkan.',
    preparing: 'Menyiapkan foto',
    checkTitle: 'Periksa foto',
    checkText: 'Apakah seluruh kartu terlihat dan tulisannya dapat dibaca?',
    photo: 'Foto yang akan dikirim',
    use: 'Gunakan foto ini',
    again: 'Ulangi',
    sendTitle: 'Mengirim foto',
    sending: 'Foto sedang dikirim.',
    reading: 'Foto terkirim. KTP sedang dibaca.',
    abort: 'Batalkan',
    aborted: 'Pengiriman dibatalkan.',
    errorTitle: 'Foto belum dapat dibaca',
    retry: 'Kirim ulang',
    retryIn: (time) => `Kirim ulang dalam ${time}`,
    retryNow: 'Foto dapat dikirim ulang sekarang.',
    other: 'Gunakan foto lain',
    over: 'Kembali ke awal',
    number: 'Kode permintaan: ',
    offline: 'Tidak ada koneksi internet. Sambungkan perangkat Anda, lalu kirim ulang.',
    broken: 'Koneksi terputus. Periksa koneksi internet Anda, lalu kirim ulang.',
    slow: 'Layanan tidak memberi jawaban. Periksa koneksi internet Anda, lalu kirim ulang.',
    fieldsTitle: 'Periksa data',
    fieldsText: 'Bandingkan dengan kartu, dan perbaiki yang salah.',
    poor: 'Foto kurang jelas. Periksa setiap isian.',
    nikShape: 'NIK terdiri dari 16 angka.',
    nikDate: 'NIK tidak cocok dengan tanggal lahir.',
    dateShape: 'Tulis tanggal seperti 17-08-1945.',
    dateFuture: 'Tanggal ini belum tiba.',
    doubts: 'Periksa isian yang ditandai. Jika sudah sesuai dengan kartu, lanjutkan.',
    confirm: 'Data sudah benar',
    anyway: 'Lanjutkan',
    doneTitle: 'Selesai',
    doneText: 'Data KTP sudah diterima.',
    next: 'Foto KTP lain',
    seconds: (n) => `${n} detik`,
    minutes: (n) => `${n} menit`,
    hours: (n) => `${n} jam`,
    fields: {
      nik: 'NIK',
      full_name: 'Nama',
      place_of_birth: 'Tempat lahir',
      date_of_birth: 'Tanggal lahir (HH-BB-TTTT)',
      gender: 'Jenis kelamin',
      blood_type: 'Golongan darah',
      address: 'Alamat',
      rt_rw: 'RT/RW',
      administrative_village: 'Kelurahan/Desa',
      district: 'Kecamatan',
      city: 'Kota/Kabupaten',
      state: 'Provinsi',
      religion: 'Agama',
      marital_status: 'Status perkawinan',
      occupation: 'Pekerjaan',
      nationality: 'Kewarganegaraan',
    },
  },
  en: {
    language: 'Language',
    startTitle: 'A photo of your KTP',
    startText: 'Put the card on a flat surface in good light. The whole card '
      + 'must be visible, without reflections.',
    startSmall: 'The photo is made smaller on this device before it is sent, '
      + 'and is not stored in this page.',
    camera: 'Open the camera',
    file: 'Choose a photo',
    opening: 'Opening the camera',
    cameraTitle: 'Point the camera at the card',
    cameraView: 'Picture of the camera',
    shoot: 'Take the photo',
    back: 'Back',
    far: 'Move closer until the card fills the frame.',
    dark: 'Too dark. Find a brighter place.',
    glare: 'There is a reflection. Tilt the card a little.',
    blur: 'The picture is blurred. Hold the camera still.',
    good: 'Good. Hold it for a moment.',
    denied: 'The camera is not allowed. Allow it in the settings of the browser, or choose a photo.',
    noCamera: 'The camera cannot be opened. Please choose a photo.',
    smallCamera: 'The picture of this camera is too small. Please choose a photo.',
    stopped: 'The camera was turned off because the page was left.',
    preparing: 'Preparing the photo',
    checkTitle: 'Check the photo',
    checkText: 'Is the whole card visible, and can its text be read?',
    photo: 'The photo to be sent',
    use: 'Use this photo',
    again: 'Take it again',
    sendTitle: 'Sending the photo',
    sending: 'The photo is being sent.',
    reading: 'The photo was sent. The card is being read.',
    abort: 'Cancel',
    aborted: 'Sending was cancelled.',
    errorTitle: 'The photo could not be read',
    retry: 'Send again',
    retryIn: (time) => `Send again in ${time}`,
    retryNow: 'The photo can be sent again now.',
    other: 'Use another photo',
    over: 'Back to the start',
    number: 'Request code: ',
    offline: 'There is no internet connection. Connect your device, then send again.',
    broken: 'The connection was lost. Check your internet connection, then send again.',
    slow: 'The service does not answer. Check your internet connection, then send again.',
    fieldsTitle: 'Check the data',
    fieldsText: 'Compare it with the card, and correct mistakes.',
    poor: 'The photo is not very clear. Check each field.',
    nikShape: 'A NIK has 16 digits.',
    nikDate: 'The NIK does not match the date of birth.',
    dateShape: 'Write the date like 17-08-1945.',
    dateFuture: 'This date is in the future.',
    doubts: 'Check the marked fields. If they agree with the card, continue.',
    confirm: 'The data is correct',
    anyway: 'Continue',
    doneTitle: 'Done',
    doneText: 'The data of the card was received.',
    next: 'Another card',
    seconds: (n) => `${n} seconds`,
    minutes: (n) => `${n} minutes`,
    hours: (n) => `${n} hours`,
    fields: {
      nik: 'NIK (identity number)',
      full_name: 'Name',
      place_of_birth: 'Place of birth',
      date_of_birth: 'Date of birth (DD-MM-YYYY)',
      gender: 'Gender',
      blood_type: 'Blood type',
      address: 'Address',
      rt_rw: 'RT/RW (neighbourhood)',
      administrative_village: 'Village',
      district: 'District',
      city: 'City or regency',
      state: 'Province',
      religion: 'Religion',
      marital_status: 'Marital status',
      occupation: 'Occupation',
      nationality: 'Nationality',
    },
  },
};

const lengths = {
  nik: 16, date_of_birth: 10, gender: 10, blood_type: 3, rt_rw: 7,
  address: 200,
};


// -- errors

// The sentences of docs/pesan-kesalahan.md, and what may be sent again:
// another photo, the same one, the same one later, or nothing.
const sentences = {
  none: ['other', 'Foto KTP belum dipilih.', 'No photo of the card was chosen.'],
  damaged: ['other', 'Foto rusak dan tidak dapat dibuka. Silakan ambil foto baru.',
    'The photo is damaged and cannot be opened. Please take a new one.'],
  large: ['other', 'Ukuran berkas foto terlalu besar. Gunakan foto yang lebih kecil dari 5 MB.',
    'The file of the photo is too large. Use a photo of less than 5 MB.'],
  fault: ['no', 'Foto tidak dapat dikirim karena kesalahan aplikasi. Silakan hubungi layanan pelanggan.',
    'The photo cannot be sent because of a fault of the application. Please contact customer service.'],
  unseen: ['other', 'KTP tidak terlihat. Pastikan seluruh kartu masuk dalam bingkai, lalu ambil foto baru.',
    'No card is visible. Make sure that the whole card is in the frame, then take a new photo.'],
  session: ['no', 'Sesi Anda telah berakhir. Silakan muat ulang halaman.',
    'Your session has ended. Please reload the page.'],
  quota: ['later', 'Layanan belum dapat digunakan saat ini. Silakan coba lagi nanti.',
    'The service cannot be used at the moment. Please try again later.'],
  access: ['no', 'Anda tidak memiliki akses ke layanan ini.',
    'You have no access to this service.'],
  long: ['same', 'Unggahan terlalu lama. Periksa koneksi internet Anda, lalu kirim ulang.',
    'The upload took too long. Check your internet connection, then send again.'],
  known: ['other', 'Foto ini sudah pernah dikirim. Silakan ambil foto baru.',
    'This photo was sent before. Please take a new one.'],
  rate: ['later', 'Terlalu banyak permintaan. Silakan tunggu sebentar, lalu kirim ulang.',
    'There are too many requests. Please wait a moment, then send again.'],
  down: ['later', 'Layanan sedang terganggu. Silakan coba beberapa saat lagi.',
    'The service is disturbed. Please try again in a moment.'],
  silent: ['later', 'Layanan tidak memberi jawaban. Silakan coba beberapa saat lagi.',
    'The service does not answer. Please try again in a moment.'],
  busy: ['later', 'Layanan sedang sibuk. Silakan coba beberapa saat lagi.',
    'The service is busy. Please try again in a moment.'],
  partial: ['same', 'Unggahan tidak lengkap. Silakan kirim ulang.',
    'The upload is incomplete. Please send again.'],
  heic: ['other', 'Foto HEIC tidak diterima. Gunakan foto JPEG atau PNG.',
    'HEIC photos are not accepted. Use a JPEG or PNG photo.'],
  webp: ['other', 'Foto WebP tidak diterima. Gunakan foto JPEG atau PNG.',
    'WebP photos are not accepted. Use a JPEG or PNG photo.'],
  pdf: ['other', 'Berkas PDF tidak diterima. Gunakan foto JPEG atau PNG.',
    'PDF files are not accepted. Use a JPEG or PNG photo.'],
  gif: ['other', 'Foto GIF tidak diterima. Gunakan foto JPEG atau PNG.',
    'GIF photos are not accepted. Use a JPEG or PNG photo.'],
  bmp: ['other', 'Foto BMP tidak diterima. Gunakan foto JPEG atau PNG.',
    'BMP photos are not accepted. Use a JPEG or PNG photo.'],
  tiff: ['other', 'Foto TIFF tidak diterima. Gunakan foto JPEG atau PNG.',
    'TIFF photos are not accepted. Use a JPEG or PNG photo.'],
  alien: ['other', 'Berkas ini bukan foto. Gunakan foto JPEG atau PNG.',
    'This file is not a photo. Use a JPEG or PNG photo.'],
  kind: ['other', 'Jenis berkas foto ini tidak diterima. Gunakan foto JPEG atau PNG.',
    'Photos of this type are not accepted. Use a JPEG or PNG photo.'],
  cut: ['same', 'Foto tidak lengkap karena unggahan terputus. Silakan kirim ulang.',
    'The photo is incomplete because the upload was interrupted. Please send again.'],
  costly: ['other', 'Foto tidak dapat diproses. Silakan ambil foto baru.',
    'The photo cannot be processed. Please take a new one.'],
  address: ['same', 'Foto tidak dapat diambil dari alamatnya. Silakan unggah fotonya.',
    'The photo cannot be downloaded from its address. Please upload it.'],
  tiny: ['other', 'Foto terlalu kecil. Dekatkan kamera ke KTP, lalu ambil foto baru.',
    'The photo is too small. Move the camera closer to the card, then take a new one.'],
  huge: ['other', 'Resolusi foto terlalu besar. Kecilkan resolusi kamera, lalu ambil foto baru.',
    'The resolution of the photo is too high. Reduce that of the camera, then take a new one.'],
  moving: ['other', 'Foto bergerak tidak diterima. Matikan fitur foto bergerak, lalu ambil foto baru.',
    'Motion photos are not accepted. Turn this feature off, then take a new photo.'],
  torn: ['same', 'Unggahan terputus. Periksa koneksi internet Anda, lalu kirim ulang.',
    'The upload was interrupted. Check your internet connection, then send again.'],
  ticket: ['same', 'Waktu unggah telah habis. Silakan kirim ulang.',
    'The time for the upload has passed. Please send again.'],
  unclear: ['other', 'Foto kurang jelas. Cari tempat yang terang, hindari pantulan cahaya, lalu ambil foto baru.',
    'The photo is not clear. Find a bright place, avoid reflections, then take a new one.'],
};

// Status, code, reason and sentence, in the order of the table; without rows
// that have the sentence of the first row of their code.
const rows = [
  '400 MISSING_PAYLOAD_IMAGE image_missing none',
  '400 INVALID_PAYLOAD_IMAGE_MISSING image_empty none',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT damaged damaged',
  '400 INVALID_PAYLOAD_IMAGE_SIZE too_many_bytes large',
  '400 INVALID_PAYLOAD_REFERENCE_ID bad_reference_id fault',
  '400 INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY quality_dependency fault',
  '400 INVALID_PAYLOAD bad_request fault',
  '400 IDEMPOTENCY_KEY_MISSING idempotency_key_missing fault',
  '400 IDEMPOTENCY_KEY_INVALID idempotency_key_invalid fault',
  '400 KTP_NOT_DETECTED not_detected unseen',
  '401 UNAUTHORIZED unauthorized session',
  '403 INSUFFICIENT_QUOTA quota quota',
  '403 FORBIDDEN forbidden access',
  '404 NOT_FOUND not_found fault',
  '405 METHOD_NOT_ALLOWED method_not_allowed fault',
  '408 REQUEST_TIMEOUT request_timeout long',
  '409 DUPLICATE_REQUEST duplicate_request known',
  '413 INVALID_PAYLOAD_IMAGE_SIZE request_too_large large',
  '414 URI_TOO_LONG uri_too_long fault',
  '415 UNSUPPORTED_MEDIA_TYPE unsupported_media_type fault',
  '422 IDEMPOTENCY_KEY_REUSED idempotency_key_reused fault',
  '429 TOO_MANY_REQUESTS rate rate',
  '500 INTERNAL_SERVER_ERROR internal down',
  '502 INTERNAL_SERVER_ERROR upstream_failed silent',
  '503 SERVICE_UNAVAILABLE busy busy',
  '504 INTERNAL_SERVER_ERROR timeout silent',
  '400 INVALID_PAYLOAD_IMAGE_MISSING not_base64 fault',
  '400 INVALID_PAYLOAD_IMAGE_MISSING bad_url fault',
  '400 INVALID_PAYLOAD_IMAGE_MISSING bad_data_url fault',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT bad_base64 partial',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_heic heic',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_webp webp',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_pdf pdf',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_gif gif',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_bmp bmp',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_tiff tiff',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_unknown alien',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT type_not_allowed kind',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT truncated cut',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT too_costly costly',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT url_not_allowed fault',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT url_too_long fault',
  '400 INVALID_PAYLOAD_IMAGE_FORMAT url_not_fetched address',
  '400 INVALID_PAYLOAD_IMAGE_SIZE too_few_pixels tiny',
  '400 INVALID_PAYLOAD_IMAGE_SIZE too_many_pixels huge',
  '400 INVALID_PAYLOAD_IMAGE_SIZE trailer_too_long moving',
  '400 INVALID_PAYLOAD empty_body none',
  '400 INVALID_PAYLOAD body_truncated torn',
  '401 UNAUTHORIZED ticket_invalid ticket',
  '401 UNAUTHORIZED ticket_expired ticket',
  '401 UNAUTHORIZED ticket_used ticket',
  '503 SERVICE_UNAVAILABLE breaker_open down',
  '503 SERVICE_UNAVAILABLE no_lease down',
  '500 INTERNAL_SERVER_ERROR body_in_file fault',
  '500 INTERNAL_SERVER_ERROR body_in_part fault',
  '500 INTERNAL_SERVER_ERROR body_discarded fault',
  '502 INTERNAL_SERVER_ERROR connect down',
  '502 INTERNAL_SERVER_ERROR dns down',
  '502 INTERNAL_SERVER_ERROR tls_name down',
  '502 INTERNAL_SERVER_ERROR tls_expired down',
  '502 INTERNAL_SERVER_ERROR tls_issuer down',
  '502 INTERNAL_SERVER_ERROR ca_file down',
  '502 INTERNAL_SERVER_ERROR tls down',
  '502 INTERNAL_SERVER_ERROR upstream_credentials down',
  '502 INTERNAL_SERVER_ERROR upstream_quota down',
  '502 INTERNAL_SERVER_ERROR upstream_rate busy',
  '200 FAIL_ON_1 - unclear',
  '400 INVALID_PAYLOAD_REFERENCE_ID_EXISTS - fault',
].map((row) => row.split(' '));

// The sentence of a response in each language, and what may be sent again.
function explain(status, code, reason) {
  const like = (n) => rows.find((row) => [String(status), code, reason]
    .slice(0, n).every((word, i) => word === row[i]));
  const row = like(3) || like(2) || like(1);
  const name = row ? row[3] : status >= 400 && status < 500 ? 'fault' : 'silent';
  const [again, id, en] = sentences[name];

  return { again, id, en };
}

const unusable = (reason, code = 'INVALID_PAYLOAD_IMAGE_FORMAT') => Object.assign(
  new Error(reason), explain(400, code, reason));


// -- the photo

// A JPEG file of what is drawn: without metadata, and not larger than needed.
async function encode(source, x, y, width, height) {
  const canvas = document.createElement('canvas');
  let scale = Math.min(1, side / Math.max(width, height));

  try {
    for (;;) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);

      const context = canvas.getContext('2d');

      context.imageSmoothingQuality = 'high';
      context.fillStyle = '#fff';
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);

      for (const quality of [0.9, 0.8, 0.7, 0.6]) {
        const blob = await new Promise(
          (done) => canvas.toBlob(done, 'image/jpeg', quality));

        if (!blob) {
          throw unusable('damaged');
        }

        if (blob.size <= bytes) {
          return blob;
        }
      }

      scale *= 0.8;
    }
  } finally {
    canvas.width = canvas.height = 0;
  }
}

// Why the browser does not open a file, by its first bytes.
async function kind(file) {
  const data = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  const text = String.fromCharCode(...data);

  return /^....ftyp.*(?:hei[cfmsx]|hev[cmsx]|mif1|msf1)/s.test(text) ? 'type_heic'
    : text.startsWith('%PDF') ? 'type_pdf'
    : /^II\*\0|^MM\0\*/.test(text) ? 'type_tiff'
    : /^image\//.test(file.type) ? 'damaged' : 'type_unknown';
}

async function shrink(file) {
  if (!file.size) {
    throw unusable('image_empty', 'INVALID_PAYLOAD_IMAGE_MISSING');
  }

  const url = URL.createObjectURL(file);
  const image = new Image();

  try {
    image.src = url;
    await image.decode();

    return await encode(image, 0, 0, image.naturalWidth, image.naturalHeight);
  } catch (e) {
    throw e.again ? e : unusable(await kind(file));
  } finally {
    URL.revokeObjectURL(url);
    image.removeAttribute('src');
  }
}

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
  (n) => n.toString(16).padStart(2, '0')).join('');


// -- hints

const columns = 320;
const lines = Math.round(columns * 54 / 85.6);

// The grey levels of a part of a picture, made as large as the constants say.
function gray(source, x, y, width, height) {
  const canvas = document.createElement('canvas');

  canvas.width = columns;
  canvas.height = lines;

  const context = canvas.getContext('2d', { willReadFrequently: true });

  context.imageSmoothingQuality = 'medium';
  context.drawImage(source, x, y, width, height, 0, 0, columns, lines);

  const { data } = context.getImageData(0, 0, columns, lines);

  return Float32Array.from({ length: columns * lines }, (_, i) =>
    0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
}

// The value that a share of the values is below.
function quantile(values, share) {
  const counts = new Uint32Array(1024);
  let left = share * values.length;

  for (const value of values) {
    counts[value * 4 | 0]++;
  }

  return counts.findIndex((n) => (left -= n) < 0) / 4;
}

// How much the grey level changes within a distance, from left to right.
const steps = (levels, distance) => levels.subarray(distance).map((level, i) =>
  i % columns < columns - distance ? Math.abs(level - levels[i]) : 0);

// The share of the width that has text: 6 % of it lie outside on each side.  A
// line of the table counts no more than a letter.
function extent(levels) {
  const least = 0.35 * (quantile(levels, 0.95) - quantile(levels, 0.02));
  const ink = new Uint32Array(columns);

  steps(levels, 2).forEach((step, i) => {
    if (step > Math.max(10, least)) {
      ink[i % columns]++;
    }
  });

  const capped = ink.map((n) => Math.min(n, 10));
  const all = capped.reduce((sum, n) => sum + n, 0);
  const at = (share) => {
    let left = share * all;

    return capped.findIndex((n) => (left -= n) < 0);
  };

  return all ? (at(0.94) - at(0.06)) / columns : 0;
}

// What is wrong with a picture, of which a part should be the card.
function judge(source, x, y, width, height) {
  const whole = gray(source, x, y, width, height);
  const middle = gray(source, x + width / 4, y + height / 4, width / 2, height / 2);
  const found = {
    light: quantile(whole, 0.9),
    spread: extent(whole),
    burnt: whole.filter((level) => level >= 250).length / whole.length,
    sharp: quantile(steps(middle, 1), 0.995) / quantile(steps(middle, 3), 0.995),
  };

  found.hint = found.light < dark ? 'dark'
    : found.spread < spread ? 'far'
    : found.burnt > burnt ? 'glare'
    : found.sharp < sharp ? 'blur' : 'good';

  return found;
}

// The part of a camera's picture that is shown, and the card in it.
function view(width, height) {
  const w = Math.min(width, height * stage);
  const h = w / stage;
  const shown = [(width - w) / 2, (height - h) / 2, w, h];

  return {
    shown,
    card: [shown[0] + w * (1 - card.width) / 2, shown[1] + h * (1 - card.height) / 2,
      w * card.width, h * card.height],
  };
}


// -- requests

// A request that can be aborted.  It fails with "offline", "broken", "slow"
// or "aborted"; it is slow if nothing happens for a time.
function request(job, url, headers, body, limit, progress) {
  return new Promise((done, fail) => {
    const xhr = new XMLHttpRequest();
    let timer;
    let why;

    const stop = (word) => {
      why = word;
      xhr.abort();
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(stop, limit, 'slow');
    };

    xhr.open('POST', url);
    Object.entries(headers).forEach((field) => xhr.setRequestHeader(...field));
    xhr.upload.onprogress = (e) => {
      wait();
      progress(e.loaded, e.total);
    };
    xhr.onload = () => {
      let answer = null;

      try {
        answer = JSON.parse(xhr.responseText);
      } catch {
        // a proxy in between has answered
      }

      done({
        status: xhr.status,
        answer: answer && typeof answer === 'object' ? answer : {},
        after: seconds(xhr.getResponseHeader('Retry-After')),
      });
    };
    xhr.onerror = () => fail(navigator.onLine ? 'broken' : 'offline');
    xhr.onabort = () => fail(why);
    xhr.onloadend = () => clearTimeout(timer);
    job.abort = () => stop('aborted');
    wait();
    xhr.send(body);
  });
}

// Retry-After: seconds, or a date.
function seconds(field) {
  const n = /^\d+$/.test(field || '') ? Number(field)
    : (Date.parse(field) - Date.now()) / 1000;

  return n >= 0 ? Math.ceil(n) : null;
}


// -- checks of fields, which never forbid

function date(text) {
  const [, day, month, year] = /^(\d\d)-(\d\d)-(\d{4})$/.exec(text) || [];
  const when = new Date(year, month - 1, day);

  return year && when.getMonth() === month - 1 && when.getFullYear() === Number(year)
    ? when : null;
}

// What is doubtful about a field; masked and empty ones are not.
function doubt(name, fields) {
  const text = fields[name].trim();
  const born = date((fields.date_of_birth || '').trim());

  if (!text || text.includes('*')) {
    return null;
  }

  if (name === 'date_of_birth') {
    return !born ? 'dateShape' : born > new Date() ? 'dateFuture' : null;
  }

  if (name === 'nik') {
    const [, day, rest] = /^\d{6}(\d\d)(\d{4})\d{4}$/.exec(text) || [];
    const [d, m, y] = (fields.date_of_birth || '').trim().split('-');

    return !rest ? 'nikShape'
      : born && (day % 40 !== Number(d) || rest !== m + y.slice(2)) ? 'nikDate'
      : null;
  }

  return null;
}


// -- the page

// Sets a property, or an attribute if there is none of that name.
function set(node, name, value) {
  if (name in node) {
    node[name] = value;
  } else {
    node.setAttribute(name, value);
  }
}

function make(tag, properties, ...children) {
  const node = document.createElement(tag);

  for (const [name, value] of Object.entries(properties || {})) {
    set(node, name, value);
  }

  node.append(...children);

  return node;
}

let mounted = 0;

function mount(element, options) {
  const given = {
    upload: element.dataset.upload, ticket: element.dataset.ticket,
    language: element.dataset.language, timeout: element.dataset.timeout,
    ...options,
  };
  const upload = given.upload || '/ktp';
  const limit = 1000 * (Number(given.timeout) || 90);
  const id = `ktp-${++mounted}-`;

  let language = words[given.language] ? given.language : 'id';
  let texts = [];  // nodes, a property of each, and what gives its text
  let photo = null;  // the file to be sent, its key and its address
  let leave = () => {};  // what ends the step
  let turn = 0;  // counts steps: what was awaited may come too late

  const t = (name) => words[language][name];

  // Gives a node a text or another property, in each language.
  function say(node, get, name = 'textContent') {
    texts = texts.filter((entry) => entry.node !== node);
    texts.push({ node, get, name });
    set(node, name, get());

    return node;
  }

  const text = (tag, name, properties) => say(make(tag, properties), () => t(name));

  function button(name, action, properties) {
    return text('button', name, { type: 'button', onclick: action, ...properties });
  }

  const status = make('p', { className: 'ktp-status', role: 'status' });
  const step = make('div', { className: 'ktp-step' });
  let heading = make('h2');

  const input = make('input', {
    type: 'file', accept: 'image/*', hidden: true,
    onchange: () => {
      const [file] = input.files;

      input.value = '';

      if (file) {
        choose(file);
      }
    },
  });
  const languages = make('div', { className: 'ktp-languages', role: 'group' },
    ...Object.entries({ id: 'Indonesia', en: 'English' }).map(([code, name]) =>
      make('button', {
        type: 'button', lang: code, textContent: name,
        onclick: () => speak(code),
      })));

  function speak(code) {
    language = code;
    element.lang = code;
    languages.setAttribute('aria-label', t('language'));

    for (const node of languages.children) {
      node.setAttribute('aria-pressed', node.lang === code);
    }

    for (const { node, get, name } of texts) {
      set(node, name, get());
    }
  }

  // Tells what has happened, also to a screen reader.
  function tell(name) {
    say(status, () => name ? t(name) : '');
  }

  // Goes to a step: its heading gets the focus.
  function show(title, ...nodes) {
    const last = heading;
    const elsewhere = document.activeElement !== document.body
      && !element.contains(document.activeElement);

    heading = text('h2', title, { tabIndex: -1 });
    last.replaceWith(heading);
    step.replaceChildren(...nodes);
    element.dataset.step = title.replace('Title', '');
    texts = texts.filter((entry) => element.contains(entry.node));

    if (turn > 1 && !elsewhere) {
      heading.focus();
    }
  }

  // Ends a step; returns whether the next one is still that of the caller.
  function next() {
    const mine = ++turn;

    leave();
    leave = () => {};
    tell();

    return () => mine === turn;
  }

  function forget() {
    if (photo) {
      URL.revokeObjectURL(photo.url);
      photo = null;
    }
  }

  const buttons = (...nodes) => make('div', { className: 'ktp-buttons' }, ...nodes);
  const main = (name, action) => button(name, action, { className: 'ktp-main' });
  const pick = (name) => button(name || 'file', () => input.click());

  // step 1

  function start(message) {
    next();
    forget();
    show('startTitle', text('p', 'startText'),
      buttons(...navigator.mediaDevices ? [main('camera', open)] : [], pick()),
      text('p', 'startSmall', { className: 'ktp-small' }));
    tell(message);
  }

  // step 2: the camera

  async function open() {
    const current = next();
    let stream;

    tell('opening');

    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: {
          facingMode: 'environment', width: { ideal: 2560 }, height: { ideal: 1440 },
        },
      });
    } catch (e) {
      if (current()) {
        start(e.name === 'NotAllowedError' ? 'denied' : 'noCamera');
      }

      return;
    }

    const [track] = stream.getTracks();

    if (!current() || document.hidden) {
      track.stop();

      if (current()) {
        start('stopped');
      }

      return;
    }

    const video = make('video', {
      muted: true, playsInline: true, autoplay: true, srcObject: stream,
    });
    const frame = make('div', { className: 'ktp-frame' });
    const timer = setInterval(look, every);
    let last;
    let told;
    let good = 0;

    track.onended = () => start('noCamera');
    leave = () => {
      clearInterval(timer);
      track.onended = null;
      track.stop();
      video.srcObject = null;
    };

    say(video, () => t('cameraView'), 'aria-label');
    show('cameraTitle', make('div', { className: 'ktp-stage' }, video, frame),
      buttons(main('shoot', shoot), pick(), button('back', () => start())));

    // Safari does not always heed "autoplay"; if it fails, "back" is there
    video.play().catch(() => {});

    // A hint is given when two frames in succession agree.
    function look() {
      if (!video.videoWidth || video.readyState < 2) {
        return;
      }

      const { shown, card: part } = view(video.videoWidth, video.videoHeight);

      if (shown[2] < least.long || shown[3] < least.short) {
        start('smallCamera');
        return;
      }

      const found = judge(video, ...part).hint;

      if (found === last && found !== told) {
        told = found;
        frame.classList.toggle('ktp-good', found === 'good');
        tell(found);
      }

      last = found;
      good = found === 'good' ? good + 1 : 0;

      if (good === enough) {
        shoot();
      }
    }

    async function shoot() {
      if (!video.videoWidth) {
        return;
      }

      clearInterval(timer);

      try {
        const blob = await encode(video, ...view(video.videoWidth, video.videoHeight).shown);

        if (current()) {
          take(blob, true);
        }
      } catch (e) {
        if (current()) {
          failed(e);
        }
      }
    }
  }

  function hidden() {
    if (document.hidden && element.dataset.step === 'camera') {
      start('stopped');
    }
  }

  // step 3: the picture

  async function choose(file) {
    const current = next();

    forget();
    tell('preparing');

    try {
      const blob = await shrink(file);

      if (current()) {
        take(blob, false);
      }
    } catch (e) {
      if (current()) {
        failed(e);
      }
    }
  }

  // A photo has one key, however often it is sent.
  function take(blob, shot) {
    forget();
    photo = { blob, shot, key: random(), url: URL.createObjectURL(blob), tries: 0 };
    check();
  }

  function check(message) {
    next();
    show('checkTitle', text('p', 'checkText'),
      say(make('img', { src: photo.url, className: 'ktp-photo' }),
        () => t('photo'), 'alt'),
      buttons(main('use', send), button('again', again)));
    tell(message);
  }

  const again = () => photo && photo.shot ? open() : start();

  // step 4: the upload

  async function send() {
    const current = next();
    const bar = make('progress', { max: 1, value: 0 });
    const job = { abort: () => {} };

    leave = () => job.abort();
    show('sendTitle', say(bar, () => t('sendTitle'), 'aria-label'),
      buttons(button('abort', () => check('aborted'))));
    tell('sending');

    const progress = (sent, total) => {
      bar.value = sent / total;

      if (sent === total) {
        tell('reading');
      }
    };

    try {
      const headers = { 'Content-Type': 'image/jpeg', 'Idempotency-Key': photo.key };
      let got = await ticket(job);

      if (got.ticket) {
        headers.Authorization = `Bearer ${got.ticket}`;
      }

      if (current() && !got.status) {
        got = await request(job, upload, headers, photo.blob, limit, progress);
      }

      if (current()) {
        leave = () => {};
        answered(got);
      }
    } catch (e) {
      if (current()) {
        const word = words.id[e] ? e : 'broken';

        leave = () => {};
        failed({ again: 'same', id: words.id[word], en: words.en[word] });
      }
    }
  }

  // A ticket, or the response that refuses it.
  async function ticket(job) {
    if (!given.ticket) {
      return {};
    }

    if (typeof given.ticket === 'function') {
      return { ticket: await given.ticket() };
    }

    const got = await request(job, given.ticket, {}, null, limit, () => {});

    return got.status === 200 && got.answer.ticket ? { ticket: got.answer.ticket } : got;
  }

  function answered({ status: code, answer, after }) {
    if (code === 200 && !answer.error_code && answer.data) {
      forget();
      correct(answer.data);
      return;
    }

    failed({
      ...explain(code === 200 && !answer.error_code ? 502 : code,
                 answer.error_code, answer.reason),
      after, number: answer.request_id,
    });
  }

  // A button that can be pressed after a time.
  function delayed(wait) {
    const until = Date.now() + 1000 * wait;
    const node = main('retry', () => {
      if (!left()) {
        send();
      }
    });

    const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
    const label = () => {
      const n = left();

      node.setAttribute('aria-disabled', n > 0);

      return !n ? t('retry') : t('retryIn')(n <= 90 ? t('seconds')(n)
        : n <= 5400 ? t('minutes')(Math.ceil(n / 60))
        : t('hours')(Math.ceil(n / 3600)));
    };

    say(node, label);

    if (wait > 0) {
      const timer = setInterval(() => {
        node.textContent = label();

        if (!left()) {
          clearInterval(timer);
          tell('retryNow');
        }
      }, 1000);

      leave = () => clearInterval(timer);
    }

    return node;
  }

  function failed(error) {
    next();

    const sentence = say(make('p', { className: 'ktp-error', role: 'alert' }),
      () => error[language]);
    const nodes = [];

    if (photo && error.again === 'same') {
      nodes.push(delayed(0));
    } else if (photo && error.again === 'later') {
      nodes.push(delayed(error.after === null ? 5 * 2 ** Math.min(photo.tries++, 6)
        : error.after));
    }

    nodes.push(error.again === 'no' ? button('over', () => start())
      : button('other', again, error.again === 'other' ? { className: 'ktp-main' } : {}));

    show('errorTitle', sentence, buttons(...nodes));

    if (error.number) {
      step.append(make('p', { className: 'ktp-small' },
        text('span', 'number'), make('code', { textContent: error.number })));
    }
  }

  // step 5: the fields

  function correct(data) {
    next();

    const names = Object.keys(words.id.fields)
      .filter((name) => typeof data[name] === 'string' || data[name] === null);
    const fields = Object.fromEntries(names.map((name) => [name, data[name] || '']));
    const quality = data.image_quality || {};
    const poor = ['blur', 'dark', 'flashlight'].some((name) => quality[name] === true);
    const notes = {};
    const inputs = {};
    let warned = '';

    const review = () => names.filter((name) => {
      const word = doubt(name, fields);

      say(notes[name], () => word ? t(word) : '');
      inputs[name].setAttribute('aria-invalid', Boolean(word));

      return word;
    });

    const nodes = names.map((name) => {
      const node = inputs[name] = make('input', {
        id: id + name, type: 'text', value: fields[name], autocomplete: 'off',
        spellcheck: false, autocapitalize: 'characters',
        maxLength: Math.max(lengths[name] || 100, fields[name].length),
        oninput: () => { fields[name] = node.value; },
        onchange: () => {
          review();
          named();
        },
      });

      if (name === 'nik') {
        node.inputMode = 'numeric';
      }

      notes[name] = make('span', { className: 'ktp-note', id: `${id}${name}-note` });
      node.setAttribute('aria-describedby', notes[name].id);

      return make('p', { className: 'ktp-field' },
        say(make('label', { htmlFor: node.id }), () => t('fields')[name]),
        node, notes[name]);
    });
    const submit = make('button', { type: 'submit', className: 'ktp-main' });
    const named = () => say(submit, () => t(warned ? 'anyway' : 'confirm'));

    named();

    const form = make('form', {
      noValidate: true, autocomplete: 'off',
      onsubmit: (event) => {
        const bad = review();

        event.preventDefault();

        if (bad.length && warned !== JSON.stringify(fields)) {
          warned = JSON.stringify(fields);
          named();
          tell('doubts');
          inputs[bad[0]].focus();
          return;
        }

        finish(fields);
      },
    }, ...nodes, buttons(submit, button('again', again)));

    show('fieldsTitle', text('p', poor ? 'poor' : 'fieldsText'), form);
    review();
  }

  function finish(fields) {
    next();
    show('doneTitle', text('p', 'doneText'), buttons(button('next', again)));
    element.dispatchEvent(new CustomEvent('ktp-fields', {
      bubbles: true, detail: { fields },
    }));

    if (given.onFields) {
      given.onFields(fields);
    }
  }

  // Nothing stays when the page is left.
  const gone = () => start();

  function destroy() {
    delete element.dataset.step;
    element.classList.remove('ktp-capture');
    removeEventListener('pagehide', gone);
    document.removeEventListener('visibilitychange', hidden);
    next();
    forget();
    texts = [];
    element.replaceChildren();
  }

  element.classList.add('ktp-capture');
  element.replaceChildren(languages, heading, status, step, input);
  addEventListener('pagehide', gone);
  document.addEventListener('visibilitychange', hidden);
  start();
  speak(language);

  return { destroy };
}

for (const element of document.querySelectorAll('[data-ktp-capture]')) {
  mount(element);
}

return { mount, explain, judge, view };
})();
