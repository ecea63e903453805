"""What the set-up says, in three languages. The product's catalogues cannot be read before it is installed."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from typing import TextIO

__all__ = ["EXIT", "TEXTS", "SetupError", "choose_language", "say", "text"]

EXIT = {
    "usage": 2,
    "permission": 14,
    "library": 15,
    "library_unknown": 15,
    "python_new": 50,
    "no_venv": 51,
    "network": 52,
    "certificate": 52,
    "disk_full": 53,
    "hash": 54,
    "no_wheel": 55,
    "venv_busy": 56,
    "failed": 59,
}
"""The exit code of each fault; `docs/exit-codes.md` explains them. An old Python (50) is told by start.py itself."""

TEXTS: dict[str, dict[str, str]] = {
    # Progress
    "making": {
        "ru": "Готовлю окружение {folder} …",
        "en": "Making the environment {folder} …",
        "lv": "Veidoju vidi {folder} …",
    },
    "mending": {
        "ru": "Окружение {folder} не закончено или осталось от другого места либо Python: делаю заново …",
        "en": "The environment {folder} is unfinished, or belongs to another place or Python: making it anew …",
        "lv": "Vide {folder} nav pabeigta vai ir no citas vietas vai citas Python versijas: veidoju no jauna …",
    },
    "waiting": {
        "ru": "Другой запуск уже готовит окружение; жду его окончания …",
        "en": "Another start is setting the environment up; waiting for it …",
        "lv": "Cita palaišana jau sagatavo vidi; gaidu, līdz tā beigs …",
    },
    "installing_index": {
        "ru": "Устанавливаю пакеты ({count}) из интернета; в первый раз это несколько минут …",
        "en": "Installing {count} packages from the internet; the first time takes some minutes …",
        "lv": "Uzstādu pakotnes ({count}) no interneta; pirmajā reizē tas prasa dažas minūtes …",
    },
    "installing_wheels": {
        "ru": "Устанавливаю пакеты ({count}) из папки {folder}, без интернета …",
        "en": "Installing {count} packages from {folder}, without the internet …",
        "lv": "Uzstādu pakotnes ({count}) no mapes {folder}, bez interneta …",
    },
    "got": {"ru": "  {done} из {count}", "en": "  {done} of {count}", "lv": "  {done} no {count}"},
    "unpacking": {
        "ru": "  распаковываю …",
        "en": "  unpacking …",
        "lv": "  izpakoju …",
    },
    "ready": {"ru": "Установлено за {seconds} с.", "en": "Installed in {seconds} s.", "lv": "Uzstādīts {seconds} s."},
    "installed": {
        "ru": "Установлено. Запуск: python3 start.py",
        "en": "Installed. To start: python3 start.py",
        "lv": "Uzstādīts. Palaišana: python3 start.py",
    },
    "apt": {
        "ru": "Не хватает системных пакетов, устанавливаю их: {command}",
        "en": "System packages are missing; installing them: {command}",
        "lv": "Trūkst sistēmas pakotņu; uzstādu tās: {command}",
    },
    "wheels_for": {
        "ru": "Скачиваю пакеты ({count}) для {platform}, Python {python} …",
        "en": "Downloading {count} packages for {platform}, Python {python} …",
        "lv": "Lejupielādēju pakotnes ({count}) priekš {platform}, Python {python} …",
    },
    "wheels_whole": {
        "ru": "{platform}, Python {python}: в {folder} есть все пакеты ({count}), хеши совпали.",
        "en": "{platform}, Python {python}: {folder} holds all {count} packages, hashes agree.",
        "lv": "{platform}, Python {python}: mapē {folder} ir visas pakotnes ({count}), jaucējvērtības sakrīt.",
    },
    "wheels_done": {
        "ru": "{folder}: файлов {count}, {megabytes} МБ. Перенесите набор вместе с этой папкой и запустите там "
        "start.py: интернет не понадобится.",
        "en": "{folder}: {count} files, {megabytes} MB. Carry the kit together with this folder and run start.py "
        "there: no internet is needed.",
        "lv": "{folder}: {count} faili, {megabytes} MB. Pārnesiet komplektu kopā ar šo mapi un palaidiet tur "
        "start.py: internets nebūs vajadzīgs.",
    },
    # Faults: the thing, the reason, the way out
    "usage": {
        "ru": "{words}: не понимаю. Справка: python3 start.py --help",
        "en": "{words}: not understood. Help: python3 start.py --help",
        "lv": "{words}: nesaprotu. Palīdzība: python3 start.py --help",
    },
    "no_venv": {
        "ru": "Python {python}: нет модулей venv и ensurepip. Установите их: {command} и запустите start.py снова.",
        "en": "Python {python}: the modules venv and ensurepip are missing. Install them: {command} and run start.py "
        "again.",
        "lv": "Python {python}: nav moduļu venv un ensurepip. Uzstādiet tos: {command} un palaidiet start.py vēlreiz.",
    },
    "permission": {
        "ru": "{path}: нет права записи ({reason}). Дайте этому пользователю право записи или скопируйте набор в "
        "свою папку и запустите там.",
        "en": "{path}: no permission to write ({reason}). Give this user the right to write there, or copy the kit to "
        "a folder of your own and start it there.",
        "lv": "{path}: nav rakstīšanas tiesību ({reason}). Piešķiriet šim lietotājam rakstīšanas tiesības vai "
        "pārkopējiet komplektu savā mapē un palaidiet to tur.",
    },
    "venv_busy": {
        "ru": "{path}: занято другой программой ({reason}). Закройте работающий Exam Kit и запустите start.py снова.",
        "en": "{path}: held by another program ({reason}). Close the running Exam Kit and run start.py again.",
        "lv": "{path}: to lieto cita programma ({reason}). Aizveriet darbojošos Exam Kit un palaidiet start.py "
        "vēlreiz.",
    },
    "network": {
        "ru": "Пакеты не скачать: нет связи с интернетом, а папки wheels нет. Подключите интернет, или на компьютере с "
        "интернетом выполните «{command}» и перенесите папку wheels сюда. Подробности: {log}",
        "en": "The packages cannot be fetched: there is no connection to the internet, and no wheels folder. Connect "
        "to the internet, or run '{command}' on a computer that has it and bring the wheels folder here. "
        "Details: {log}",
        "lv": "Pakotnes nevar lejupielādēt: nav interneta savienojuma, un nav mapes wheels. Pieslēdziet internetu vai "
        "datorā ar internetu izpildiet «{command}» un pārnesiet mapi wheels šurp. Sīkāk: {log}",
    },
    "certificate": {
        "ru": "Пакеты не скачать: соединение подменяет сертификат (обычно это школьный фильтр или прокси). Попросите "
        "администратора его сертификат и укажите файл в PIP_CERT, или перенесите папку wheels ({command}). "
        "Подробности: {log}",
        "en": "The packages cannot be fetched: something on the way replaces the certificate (usually a school's "
        "filter or proxy). Ask the administrator for its certificate and name the file in PIP_CERT, or bring a wheels "
        "folder ({command}). Details: {log}",
        "lv": "Pakotnes nevar lejupielādēt: savienojumā tiek aizstāts sertifikāts (parasti skolas filtrs vai "
        "starpniekserveris). Palūdziet administratoram tā sertifikātu un norādiet failu mainīgajā PIP_CERT vai "
        "pārnesiet mapi wheels ({command}). Sīkāk: {log}",
    },
    "disk_full": {
        "ru": "{path}: мало места на диске: свободно {free} МБ, нужно {need} МБ. Освободите место и запустите "
        "start.py снова.",
        "en": "{path}: the disk is too full: {free} MB free, {need} MB needed. Free some space and run start.py again.",
        "lv": "{path}: diskā par maz vietas: brīvi {free} MB, vajag {need} MB. Atbrīvojiet vietu un palaidiet start.py "
        "vēlreiz.",
    },
    "hash": {
        "ru": "{package}: содержимое не совпадает с записанным в {lock}: файл повреждён или подменён. Удалите его из "
        "wheels и кэша (pip cache purge), скачайте снова; если повторится, не устанавливайте и сообщите разработчикам. "
        "Подробности: {log}",
        "en": "{package}: its content is not the one recorded in {lock}: the file is damaged or was replaced. Delete "
        "it from wheels and the cache (pip cache purge) and fetch it again; if that repeats, do not install and tell "
        "the developers. Details: {log}",
        "lv": "{package}: saturs nesakrīt ar failā {lock} ierakstīto: fails ir bojāts vai aizstāts. Izdzēsiet to no "
        "wheels un kešatmiņas (pip cache purge) un lejupielādējiet vēlreiz; ja atkārtojas, neuzstādiet un ziņojiet "
        "izstrādātājiem. Sīkāk: {log}",
    },
    "no_wheel": {
        "ru": "{package}: нет готового пакета для {platform}, Python {python}. Если рядом папка wheels, дополните её "
        "на компьютере с интернетом: {command}; иначе поставьте Python 3.11–3.14 (64 бита). Подробности: {log}",
        "en": "{package}: there is no ready package for {platform}, Python {python}. With a wheels folder here, "
        "complete it on a computer with internet: {command}; otherwise install Python 3.11–3.14 (64 bit). "
        "Details: {log}",
        "lv": "{package}: nav gatavas pakotnes priekš {platform}, Python {python}. Ja blakus ir mape wheels, "
        "papildiniet to datorā ar internetu: {command}; citādi uzstādiet Python 3.11–3.14 (64 bitu). Sīkāk: {log}",
    },
    "library": {
        "ru": "{library}: нет этой системной библиотеки, а без неё не работает видео. Установите: {command} и "
        "запустите start.py снова.",
        "en": "{library}: this system library is missing and video does not work without it. Install it: {command} and "
        "run start.py again.",
        "lv": "{library}: nav šīs sistēmas bibliotēkas, un bez tās video nedarbojas. Uzstādiet: {command} un palaidiet "
        "start.py vēlreiz.",
    },
    "library_unknown": {
        "ru": "Библиотеки видео не загружаются: {reason}. Выполните «{command}»; если не поможет, пришлите этот текст "
        "разработчикам.",
        "en": "The video libraries do not load: {reason}. Run '{command}'; if that does not help, send this text to "
        "the developers.",
        "lv": "Video bibliotēkas neielādējas: {reason}. Izpildiet «{command}»; ja tas nepalīdz, nosūtiet šo tekstu "
        "izstrādātājiem.",
    },
    "failed": {
        "ru": "{step}: не получилось ({reason}). Запустите start.py снова; если повторится, покажите разработчикам "
        "файл {log}",
        "en": "{step}: did not work ({reason}). Run start.py again; if it repeats, show the developers the file {log}",
        "lv": "{step}: neizdevās ({reason}). Palaidiet start.py vēlreiz; ja atkārtojas, parādiet izstrādātājiem "
        "failu {log}",
    },
    "python_new": {
        "ru": "Python {python}: эта версия набором не проверена, нужен от 3.11 до 3.14. Запустите start.py одним из "
        "них, например: python3.13 start.py",
        "en": "Python {python}: the kit was not tried on this version, it needs 3.11 to 3.14. Run start.py with one of "
        "them, for example: python3.13 start.py",
        "lv": "Python {python}: komplekts ar šo versiju nav pārbaudīts, vajag no 3.11 līdz 3.14. Palaidiet start.py ar "
        "kādu no tām, piemēram: python3.13 start.py",
    },
    # The gate
    "gate_step": {"ru": "── {step}", "en": "── {step}", "lv": "── {step}"},
    "gate_again": {
        "ru": "── не прошли: {count}; запускаю их ещё раз",
        "en": "── not passed: {count}; running these once more",
        "lv": "── nav izturēti: {count}; palaižu tos vēlreiz",
    },
    "gate_bad": {
        "ru": "Не прошло: {steps}",
        "en": "Did not pass: {steps}",
        "lv": "Nav izturēts: {steps}",
    },
    "gate_good": {
        "ru": "Всё прошло: {steps}",
        "en": "All passed: {steps}",
        "lv": "Viss izturēts: {steps}",
    },
    "help": {
        "ru": """Exam Kit: установка и запуск одной командой.

  python3 start.py [--port N]    установить, если нужно, и запустить; без point.toml запускается демонстрация
  python3 start.py --install-only
                                 только установить
  python3 start.py wheels [--platform P] [--python X.Y]
                                 наполнить папку wheels для ноутбука без интернета;
                                 P: win_amd64, linux_x86_64, linux_aarch64; оба ключа можно повторять
  python3 start.py test [аргументы pytest]
                                 установить средства проверки и выполнить все проверки

Данные лежат в папке home рядом с набором или там, куда указывает EXAM_KIT_HOME.""",
        "en": """Exam Kit: set up and started by one command.

  python3 start.py [--port N]    install what is missing and start; without a point.toml the demo starts
  python3 start.py --install-only
                                 install and start nothing
  python3 start.py wheels [--platform P] [--python X.Y]
                                 fill the wheels folder for a laptop without internet;
                                 P: win_amd64, linux_x86_64, linux_aarch64; both options may be repeated
  python3 start.py test [pytest arguments]
                                 install the test tools and run every check

Data lies in the folder home beside the kit, or where EXAM_KIT_HOME points.""",
        "lv": """Exam Kit: uzstādīšana un palaišana ar vienu komandu.

  python3 start.py [--port N]    uzstādīt, ja vajag, un palaist; bez point.toml tiek palaista demonstrācija
  python3 start.py --install-only
                                 tikai uzstādīt
  python3 start.py wheels [--platform P] [--python X.Y]
                                 piepildīt mapi wheels klēpjdatoram bez interneta;
                                 P: win_amd64, linux_x86_64, linux_aarch64; abas atslēgas drīkst atkārtot
  python3 start.py test [pytest argumenti]
                                 uzstādīt pārbaudes rīkus un veikt visas pārbaudes

Dati glabājas mapē home blakus komplektam vai tur, kurp rāda EXAM_KIT_HOME.""",
    },
}


class SetupError(Exception):
    """The set-up cannot go on; `key` names the text that says why and the way out."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    @property
    def exit_code(self) -> int:
        return EXIT[self.key]


def choose_language(environment: Mapping[str, str] = os.environ) -> str:
    """ru, en or lv by the environment's locale, on Windows by the display language; Russian when it is another one."""
    for name in ("EXAM_KIT_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            named = environment[name]
            break
    else:
        named = _windows_language()
    code = named[:2].lower()
    return code if code in ("ru", "en", "lv") else "ru"


def _windows_language() -> str:
    if sys.platform != "win32":
        return ""
    import ctypes

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")


def text(key: str, **values: object) -> str:
    """The text `key` in the person's language."""
    return TEXTS[key][choose_language()].format(**values)


def say(key: str, *, to: TextIO | None = None, **values: object) -> None:
    """Print the text `key` at once, also when the output is a pipe."""
    print(text(key, **values), file=to or sys.stdout, flush=True)
