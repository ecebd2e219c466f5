import type { Language } from '../../api/schemas.ts'

/** What a visitor may sit at, in the order in which the page shows them. */
export const SYSTEMS = ['windows', 'macos', 'ios', 'android', 'linux', 'firefox'] as const
export type System = (typeof SYSTEMS)[number]

export interface TrustText {
  title: string
  lead: string
  check: { asking: string; yes: string; no: string }
  compare: { title: string; text: string; where: string }
  install: { title: string; text: string }
  /** `{crt}`, `{pem}` and `{profile}` stand for the downloads. */
  systems: Record<System, { name: string; steps: string[] }>
  open: { title: string; text: string }
  off: string
  files: string
}

export const TRUST_TEXTS: Record<Language, TrustText> = {
  en: {
    title: 'Trust this Latchkey',
    lead: 'Connections to this console are encrypted with a certificate that Latchkey made itself. Install its authority once on this device, and the browser no longer warns.',
    check: {
      asking: 'Asking whether this device trusts it already…',
      yes: 'This device reaches Latchkey trusted.',
      no: 'This device does not trust it yet. This changes by itself once it does.',
    },
    compare: {
      title: 'First compare the fingerprint',
      text: 'This page may have come over a connection that anybody in this network could have changed. So look at the settings on the machine that Latchkey runs on, under “Network”: the same fingerprint must stand there, and in the certificate before you install it.',
      where: 'SHA-256 fingerprint',
    },
    install: {
      title: 'Then install the authority',
      text: 'It can only vouch for this machine: its names, and addresses in its network. Choose what you sit at.',
    },
    systems: {
      windows: {
        name: 'Windows',
        steps: [
          'Download {crt} and open it.',
          'Choose “Install Certificate…”, then “Current User”.',
          'Choose “Place all certificates in the following store”, and there “Trusted Root Certification Authorities”.',
          'Confirm, and start the browser again.',
        ],
      },
      macos: {
        name: 'macOS',
        steps: [
          'Download {crt} and open it: Keychain Access adds it to the keychain “login”.',
          'Open the certificate there and unfold “Trust”.',
          'At “When using this certificate” choose “Always Trust”, close the window and confirm.',
        ],
      },
      ios: {
        name: 'iPhone and iPad',
        steps: [
          'Download {profile} in Safari and allow it.',
          'Open Settings, “Profile Downloaded”, and choose “Install”.',
          'Then Settings, General, About, “Certificate Trust Settings”: switch the certificate on.',
        ],
      },
      android: {
        name: 'Android',
        steps: [
          'Download {crt}.',
          'Open Settings, “Security & privacy”, “More security settings”, “Encryption & credentials”, “Install a certificate”, “CA certificate”.',
          'Choose “Install anyway” and the downloaded file.',
        ],
      },
      linux: {
        name: 'Linux',
        steps: [
          'Download {pem}.',
          'Chrome and Chromium: open chrome://certificate-manager, “Installed by you”, “Trusted certificates”, and import the file.',
          'For the programs of Debian or Ubuntu: copy it to /usr/local/share/ca-certificates/latchkey-ca.crt and run “sudo update-ca-certificates”.',
        ],
      },
      firefox: {
        name: 'Firefox',
        steps: [
          'Download {pem}.',
          'Open Settings, “Privacy & Security”, “Certificates”, “View Certificates…”, “Authorities”, and import the file.',
          'Tick “Trust this CA to identify websites”.',
        ],
      },
    },
    open: { title: 'Then open the console', text: 'Any of these addresses will do:' },
    off: 'Latchkey is not reachable over the network at the moment. Whoever administers it can switch that on in the settings.',
    files:
      'The certificate of this console comes from files that its administrator keeps. If the browser warns, ask him which authority to trust.',
  },
  de: {
    title: 'Diesem Latchkey vertrauen',
    lead: 'Verbindungen zu dieser Konsole sind mit einem Zertifikat verschlüsselt, das Latchkey selbst erstellt hat. Installieren Sie seine Zertifizierungsstelle einmal auf diesem Gerät; dann warnt der Browser nicht mehr.',
    check: {
      asking: 'Es wird geprüft, ob dieses Gerät ihm schon vertraut…',
      yes: 'Dieses Gerät vertraut Latchkey.',
      no: 'Dieses Gerät vertraut ihm noch nicht. Das ändert sich hier von selbst.',
    },
    compare: {
      title: 'Vergleichen Sie zuerst den Fingerabdruck',
      text: 'Diese Seite kam vielleicht über eine Verbindung, die jeder in diesem Netz hätte verändern können. Sehen Sie deshalb an dem Rechner, auf dem Latchkey läuft, in den Einstellungen unter „Netzwerk“ nach: Dort muss derselbe Fingerabdruck stehen, und ebenso im Zertifikat, bevor Sie es installieren.',
      where: 'SHA-256-Fingerabdruck',
    },
    install: {
      title: 'Installieren Sie dann die Zertifizierungsstelle',
      text: 'Sie kann nur für diesen Rechner bürgen: für seine Namen und für Adressen in seinem Netz. Wählen Sie, woran Sie sitzen.',
    },
    systems: {
      windows: {
        name: 'Windows',
        steps: [
          'Laden Sie {crt} herunter und öffnen Sie die Datei.',
          'Wählen Sie „Zertifikat installieren…“, dann „Aktueller Benutzer“.',
          'Wählen Sie „Alle Zertifikate in folgendem Speicher speichern“ und dort „Vertrauenswürdige Stammzertifizierungsstellen“.',
          'Bestätigen Sie und starten Sie den Browser neu.',
        ],
      },
      macos: {
        name: 'macOS',
        steps: [
          'Laden Sie {crt} herunter und öffnen Sie die Datei: Die Schlüsselbundverwaltung legt sie im Schlüsselbund „Anmeldung“ ab.',
          'Öffnen Sie dort das Zertifikat und klappen Sie „Vertrauen“ auf.',
          'Wählen Sie bei „Bei Verwendung dieses Zertifikats“ „Immer vertrauen“, schließen Sie das Fenster und bestätigen Sie.',
        ],
      },
      ios: {
        name: 'iPhone und iPad',
        steps: [
          'Laden Sie {profile} in Safari herunter und erlauben Sie es.',
          'Öffnen Sie „Einstellungen“, „Profil geladen“ und wählen Sie „Installieren“.',
          'Dann „Einstellungen“, „Allgemein“, „Info“, „Zertifikatsvertrauenseinstellungen“: Schalten Sie das Zertifikat ein.',
        ],
      },
      android: {
        name: 'Android',
        steps: [
          'Laden Sie {crt} herunter.',
          'Öffnen Sie „Einstellungen“, „Sicherheit & Datenschutz“, „Weitere Sicherheitseinstellungen“, „Verschlüsselung & Anmeldedaten“, „Zertifikat installieren“, „CA-Zertifikat“.',
          'Wählen Sie „Trotzdem installieren“ und die heruntergeladene Datei.',
        ],
      },
      linux: {
        name: 'Linux',
        steps: [
          'Laden Sie {pem} herunter.',
          'Chrome und Chromium: Öffnen Sie chrome://certificate-manager, „Von Ihnen installiert“, „Vertrauenswürdige Zertifikate“ und importieren Sie die Datei.',
          'Für die Programme von Debian oder Ubuntu: Kopieren Sie sie nach /usr/local/share/ca-certificates/latchkey-ca.crt und führen Sie „sudo update-ca-certificates“ aus.',
        ],
      },
      firefox: {
        name: 'Firefox',
        steps: [
          'Laden Sie {pem} herunter.',
          'Öffnen Sie „Einstellungen“, „Datenschutz & Sicherheit“, „Zertifikate“, „Zertifikate anzeigen…“, „Zertifizierungsstellen“ und importieren Sie die Datei.',
          'Setzen Sie das Häkchen bei „Dieser CA vertrauen, um Websites zu identifizieren“.',
        ],
      },
    },
    open: { title: 'Öffnen Sie dann die Konsole', text: 'Jede dieser Adressen ist recht:' },
    off: 'Latchkey ist zurzeit nicht über das Netz erreichbar. Wer es verwaltet, kann das in den Einstellungen einschalten.',
    files:
      'Das Zertifikat dieser Konsole kommt aus Dateien, die ihr Administrator pflegt. Wenn der Browser warnt, fragen Sie ihn, welcher Zertifizierungsstelle Sie vertrauen sollen.',
  },
  ru: {
    title: 'Доверие этому Latchkey',
    lead: 'Соединения с этой консолью шифруются сертификатом, который Latchkey создал сам. Установите его центр сертификации на это устройство один раз, и браузер перестанет предупреждать.',
    check: {
      asking: 'Проверяется, доверяет ли ему это устройство…',
      yes: 'Это устройство доверяет Latchkey.',
      no: 'Это устройство ему ещё не доверяет. Здесь это изменится само.',
    },
    compare: {
      title: 'Сначала сравните отпечаток',
      text: 'Эта страница могла прийти по соединению, которое мог изменить любой в этой сети. Поэтому откройте настройки на компьютере, где работает Latchkey, раздел «Сеть»: там должен стоять тот же отпечаток, и он же — в сертификате перед установкой.',
      where: 'Отпечаток SHA-256',
    },
    install: {
      title: 'Затем установите центр сертификации',
      text: 'Он может ручаться только за этот компьютер: за его имена и за адреса его сети. Выберите, за чем вы сидите.',
    },
    systems: {
      windows: {
        name: 'Windows',
        steps: [
          'Скачайте {crt} и откройте файл.',
          'Выберите «Установить сертификат…», затем «Текущий пользователь».',
          'Выберите «Поместить все сертификаты в следующее хранилище», а там — «Доверенные корневые центры сертификации».',
          'Подтвердите и перезапустите браузер.',
        ],
      },
      macos: {
        name: 'macOS',
        steps: [
          'Скачайте {crt} и откройте файл: «Связка ключей» добавит его в связку «Вход».',
          'Откройте там сертификат и разверните «Доверие».',
          'В пункте «Параметры использования сертификата» выберите «Всегда доверять», закройте окно и подтвердите.',
        ],
      },
      ios: {
        name: 'iPhone и iPad',
        steps: [
          'Скачайте {profile} в Safari и разрешите загрузку.',
          'Откройте «Настройки», «Профиль загружен» и выберите «Установить».',
          'Затем «Настройки», «Основные», «Об этом устройстве», «Доверие сертификатам»: включите сертификат.',
        ],
      },
      android: {
        name: 'Android',
        steps: [
          'Скачайте {crt}.',
          'Откройте «Настройки», «Безопасность и конфиденциальность», «Другие настройки безопасности», «Шифрование и учётные данные», «Установить сертификат», «Сертификат ЦС».',
          'Выберите «Всё равно установить» и скачанный файл.',
        ],
      },
      linux: {
        name: 'Linux',
        steps: [
          'Скачайте {pem}.',
          'Chrome и Chromium: откройте chrome://certificate-manager, «Установлено вами», «Доверенные сертификаты» и импортируйте файл.',
          'Для программ Debian или Ubuntu: скопируйте его в /usr/local/share/ca-certificates/latchkey-ca.crt и выполните «sudo update-ca-certificates».',
        ],
      },
      firefox: {
        name: 'Firefox',
        steps: [
          'Скачайте {pem}.',
          'Откройте «Настройки», «Приватность и Защита», «Сертификаты», «Просмотр сертификатов…», «Центры сертификации» и импортируйте файл.',
          'Отметьте «Доверять при идентификации веб-сайтов».',
        ],
      },
    },
    open: { title: 'Затем откройте консоль', text: 'Подойдёт любой из этих адресов:' },
    off: 'Сейчас Latchkey недоступен по сети. Администратор может включить это в настройках.',
    files:
      'Сертификат этой консоли взят из файлов, которыми управляет её администратор. Если браузер предупреждает, спросите его, какому центру сертификации доверять.',
  },
  'zh-CN': {
    title: '信任此 Latchkey',
    lead: '与此控制台的连接使用 Latchkey 自己创建的证书加密。在此设备上安装一次它的证书颁发机构，浏览器就不会再警告。',
    check: {
      asking: '正在检查此设备是否已信任它…',
      yes: '此设备已信任 Latchkey。',
      no: '此设备尚未信任它。信任后，这里会自动更新。',
    },
    compare: {
      title: '首先比对指纹',
      text: '此页面可能经由一个此网络中任何人都可以篡改的连接传来。因此，请在运行 Latchkey 的电脑上打开设置中的“网络”：那里的指纹必须与此相同，安装前证书中的指纹也必须相同。',
      where: 'SHA-256 指纹',
    },
    install: {
      title: '然后安装证书颁发机构',
      text: '它只能为这台电脑担保：它的名称以及它所在网络中的地址。请选择您使用的设备。',
    },
    systems: {
      windows: {
        name: 'Windows',
        steps: [
          '下载 {crt} 并打开它。',
          '选择“安装证书…”，然后选择“当前用户”。',
          '选择“将所有的证书都放入下列存储”，再选择“受信任的根证书颁发机构”。',
          '确认，然后重新启动浏览器。',
        ],
      },
      macos: {
        name: 'macOS',
        steps: [
          '下载 {crt} 并打开它：“钥匙串访问”会将其加入“登录”钥匙串。',
          '在那里打开证书并展开“信任”。',
          '在“使用此证书时”选择“始终信任”，关闭窗口并确认。',
        ],
      },
      ios: {
        name: 'iPhone 和 iPad',
        steps: [
          '在 Safari 中下载 {profile} 并允许。',
          '打开“设置”、“已下载描述文件”，选择“安装”。',
          '然后打开“设置”、“通用”、“关于本机”、“证书信任设置”：启用该证书。',
        ],
      },
      android: {
        name: 'Android',
        steps: [
          '下载 {crt}。',
          '打开“设置”、“安全和隐私”、“更多安全设置”、“加密与凭据”、“安装证书”、“CA 证书”。',
          '选择“仍然安装”和下载的文件。',
        ],
      },
      linux: {
        name: 'Linux',
        steps: [
          '下载 {pem}。',
          'Chrome 和 Chromium：打开 chrome://certificate-manager、“由您安装”、“受信任的证书”，然后导入文件。',
          'Debian 或 Ubuntu 的程序：将其复制为 /usr/local/share/ca-certificates/latchkey-ca.crt 并运行“sudo update-ca-certificates”。',
        ],
      },
      firefox: {
        name: 'Firefox',
        steps: [
          '下载 {pem}。',
          '打开“设置”、“隐私与安全”、“证书”、“查看证书…”、“证书颁发机构”，然后导入文件。',
          '勾选“信任由此证书颁发机构来标识网站”。',
        ],
      },
    },
    open: { title: '然后打开控制台', text: '以下任一地址均可：' },
    off: '目前无法通过网络访问 Latchkey。管理员可以在设置中启用。',
    files: '此控制台的证书来自其管理员维护的文件。如果浏览器警告，请询问管理员应信任哪个证书颁发机构。',
  },
}
