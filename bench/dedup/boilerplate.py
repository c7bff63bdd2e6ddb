"""What sites put around their articles: navigation, cookie notice, footer, related articles.

Each of a dozen sites per language has its own, made of the phrases below and of real titles, and puts it around many
articles. `around` cuts it to a size, half before the article and half behind.
"""

import random

SITES = 12
_WORDS = {
    "en": (
        "Home|News|Business|Opinion|Sport|Culture|Travel|Weather|Video|Podcasts|Shop|Jobs|Events|Archive|Search|"
        "Sign in|Subscribe|Newsletters|Contact us|Help|Accessibility|My account|Community|Science|Health|Technology",
        "We and our partners store and read information on your device to measure visits and to show advertising. "
        "You may accept all of it, refuse all of it, or choose purpose by purpose.|This site uses cookies so that it "
        "works, and others so that we learn how it is used. Manage your settings at any time from the footer.|"
        "By staying on this page you agree to our cookie policy. Read how to withdraw consent in your browser.",
        "All rights reserved|Terms of use|Privacy statement|Cookie settings|Advertise with us|About the company|"
        "Corrections|Sitemap|Registered in England|Do not sell my data|Editorial code|Follow us|RSS feeds|Printed in",
        "Related articles|You may also like|More from this section|Read next",
    ),
    "zh": (
        "首页|新闻|财经|评论|体育|文化|旅游|天气|视频|播客|商城|招聘|活动|往期|搜索|登录|订阅|客户端|联系我们|帮助|无障碍|我的账户|社区|科学|健康|科技",
        "我们和合作伙伴会在您的设备上存取信息，用来统计访问并展示广告。您可以全部接受、全部拒绝，或按用途逐项选择。|"
        "本站使用必要的缓存文件以保证正常浏览，其余用于了解页面的使用情况，您可随时在页脚修改设置。|"
        "继续浏览即表示您同意我们的隐私条款，如需撤回，请在浏览器中清除本站数据。",
        "版权所有|使用条款|隐私政策|广告服务|关于我们|勘误|网站地图|违法和不良信息举报电话|未经授权不得转载|增值电信业务经营许可证|"
        "责任编辑|法律顾问|微信公众号|扫码下载|互联网新闻信息服务许可证",
        "相关阅读|猜你喜欢|更多本栏目文章|延伸阅读",
    ),
}
_JOINTS = (" | ", "\n", " · ", " / ")


class Site:
    """`before` and `behind`: about 2,000 characters each. Related articles come first behind the article."""

    def __init__(self, number: int, language: str, titles: list[str]) -> None:
        rng = random.Random(f"site/{language}/{number}")
        places, notices, legal, heads = (part.split("|") for part in _WORDS[language])
        joint = rng.choice(_JOINTS)
        name = rng.choice(titles)[:12]
        menu = joint.join([name, *rng.sample(places, rng.randint(8, 14))])
        self.titles = rng.sample(titles, min(30, len(titles)))
        notice = rng.choice(notices)
        footer = joint.join([name, str(rng.randint(1995, 2025)), *rng.sample(legal, 8)])
        deep = "\n".join(rng.choice(places) + joint + title for title in rng.sample(titles, min(40, len(titles))))
        self.before = f"{menu}\n{notice}\n{deep}"
        self.head = rng.choice(heads)
        self.footer = f"{footer}\n{notice}\n{menu}\n{deep}"

    def around(self, text: str, part: float, rng: random.Random) -> str:
        """The text with `part` of its length added."""
        size = max(8, round(part * len(text) / 2))
        related = "\n".join([self.head, *rng.sample(self.titles, min(3, len(self.titles)))])
        behind = f"{related}\n{self.footer}" if size > 3 * len(related) else self.footer
        return f"{self.before[:size]}\n{text}\n{behind[:size]}"


def sites(language: str, titles: list[str]) -> list[Site]:
    return [Site(number, language, titles) for number in range(SITES)]
